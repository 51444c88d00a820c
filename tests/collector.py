"""A collector of OpenTelemetry's spans on loopback: OTLP over HTTP, decoded by its own protocol."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class Told(NamedTuple):
    """One span. Times in nanoseconds; ids in hexadecimal."""

    trace: str
    parent: str
    own: str
    name: str
    start: int
    end: int


class Collector:
    """`url`: where spans are posted to."""

    def __init__(self, url: str, spans: list[Told]) -> None:
        self.url = url
        self._spans = spans

    def of(self, trace: str) -> dict[str, Told]:
        """A trace's spans by name."""
        return {span.name: span for span in list(self._spans) if span.trace == trace}

    def __len__(self) -> int:
        return len(self._spans)


@contextmanager
def collecting() -> Iterator[Collector]:
    """One for the time of a block."""
    spans: list[Told] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            spans.extend(_read(body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Collector(f"http://127.0.0.1:{server.server_port}/v1/traces", spans)
    finally:
        server.shutdown()
        server.server_close()


def _read(body: bytes) -> Iterator[Told]:
    request = ExportTraceServiceRequest()
    request.ParseFromString(body)
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                ids = (span.trace_id.hex(), span.parent_span_id.hex(), span.span_id.hex())
                yield Told(*ids, span.name, span.start_time_unix_nano, span.end_time_unix_nano)
