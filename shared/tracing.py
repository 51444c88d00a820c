"""Traces of readings, from POST to paint (OpenTelemetry). Off unless `YIWANG_TRACES_URL` is set.

One request in so many is sampled. Its W3C context goes along in the headers of its records; whoever
handles such a record tells its part of the way afterwards, from the times that it knows anyway. So
what is not sampled costs one comparison. A record carries one trace: that of the first sampled
request in it.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from random import random
from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from shared.clock import system_clock, to_micros
from shared.settings import Settings

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

_log = logging.getLogger(__name__)

HEADER = "traceparent"
Header = tuple[str, bytes]
_SPACE = 2**64
_w3c = TraceContextTextMapPropagator()


@dataclass(frozen=True, slots=True)
class Journey:
    """A sampled request. `header`: what its records carry."""

    span: trace.Span
    header: Header

    def end(self, error: BaseException | None = None) -> None:
        """It is durable; or what became of it instead."""
        if error is not None:
            self.span.set_status(trace.StatusCode.ERROR, type(error).__name__)
        self.span.end()


class Tracing:
    """`ratio`: of requests that are sampled. A request that brings a context keeps its trace's
    name; whether it is sampled is decided here alone, so that no client can make us trace all."""

    def __init__(self, provider: "TracerProvider", ratio: float) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("yiwang")
        self._ratio = ratio

    def begin(self, name: str, parent: bytes | None, start_us: int) -> Journey | None:
        """Of a request at `start_us` (epoch microseconds); None: it is not sampled."""
        if parent is None:
            if random() >= self._ratio:
                return None
            context = Context()
        else:
            context = _context(parent)
            known = trace.get_current_span(context).get_span_context()
            chance = (known.trace_id % _SPACE) / _SPACE if known.is_valid else random()
            if chance >= self._ratio:
                return None
        span = self._tracer.start_span(name, context, start_time=start_us * 1000)
        carrier: dict[str, str] = {}
        _w3c.inject(carrier, trace.set_span_in_context(span, context))
        return Journey(span, (HEADER, carrier[HEADER].encode()))

    def follow(self, parent: bytes, name: str, start_us: int, end_us: int) -> None:
        """A part of the way of a sampled request."""
        context = _context(parent)
        # Clocks of several machines may differ: nothing ends before it began.
        span = self._tracer.start_span(name, context, start_time=start_us * 1000)
        span.end(max(start_us, end_us) * 1000)

    def close(self) -> None:
        """Send what waits."""
        self._provider.shutdown()


_tracing: Tracing | None = None


def configure(settings: Settings) -> None:
    """For this process, from now on. Idempotent."""
    if settings.traces_url and _tracing is None:
        use(Tracing(_provider(settings), settings.traces_ratio))
        _log.info("traces: %g of the requests", settings.traces_ratio)


def _provider(settings: Settings) -> "TracerProvider":
    """To a collector. Who has no traces need not load the SDK."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.sampling import ALWAYS_ON

    own = {"service.name": "yiwang", "service.instance.id": f"{settings.host}:{settings.port}"}
    provider = TracerProvider(sampler=ALWAYS_ON, resource=Resource.create(own))
    exporter = OTLPSpanExporter(endpoint=settings.traces_url, timeout=5)
    # Its queue is bounded: what is too much is dropped, and readings wait for nothing.
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


def use(tracing: Tracing | None) -> None:
    """Of this process; None: none."""
    global _tracing  # noqa: PLW0603
    _tracing = tracing


def current() -> Tracing | None:
    """What this process uses."""
    return _tracing


def close() -> None:
    """Send what waits, and stop."""
    if _tracing is not None:
        _tracing.close()
        use(None)


def begin(name: str, parent: bytes | None, start_us: int) -> Journey | None:
    """See `Tracing.begin`; None if there are no traces."""
    return None if _tracing is None else _tracing.begin(name, parent, start_us)


def follow(headers: Sequence[Header], name: str, start_us: int, end_us: int | None = None) -> None:
    """See `Tracing.follow`: what happened until `end_us` (else now) to a record with these
    headers."""
    if not headers or _tracing is None:
        return
    parent = parent_of(headers)
    if parent is not None:
        end_us = to_micros(system_clock()) if end_us is None else end_us
        _tracing.follow(parent, name, start_us, end_us)


def parent_of(headers: Sequence[Header]) -> bytes | None:
    """The W3C context among a record's headers."""
    return next((value for name, value in headers if name == HEADER), None)


def _context(parent: bytes) -> Context:
    """Empty if it is none."""
    return _w3c.extract({HEADER: parent.decode("latin-1")}, Context())
