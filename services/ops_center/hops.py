"""How long readings take on their way: measured hop by hop, from observed to painted. Pure."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple, TypeVar, get_args

from shared.contracts.live import Hops, Latency

KEPT_SAMPLES = 4_000  # per pulse; beyond it the share that is kept stays even
KEPT_TICKS = 240  # a minute: a screen that reports a paint later is not asked how late
SAMPLES_PER_TICK = 50
SAMPLES_PER_PAINT = 5

Hop = Literal["accepted", "logged", "pictured", "sent", "latency", "painted", "shown"]
T = TypeVar("T")
HOPS: tuple[Hop, ...] = get_args(Hop)


class _Sampled(list[T]):
    """Of whatever many values evenly spread ones, at most `KEPT_SAMPLES`."""

    def __init__(self) -> None:
        super().__init__()
        self._stride = 1
        self._seen = 0

    def add(self, value: T) -> None:
        """Keep it, or not."""
        self._seen += 1
        if self._seen % self._stride == 0:
            self.append(value)
            if len(self) > KEPT_SAMPLES:
                del self[::2]
                self._stride *= 2


class _Trace(NamedTuple):
    accepted_us: int
    pictured_us: int


class Journey:
    """Collects between two pulses. All times in epoch microseconds, by the clocks of whoever
    stamped them: the sensor, the gateway, the log, this process."""

    def __init__(self) -> None:
        self._waiting: _Sampled[_Trace] = _Sampled()
        self._ticks: OrderedDict[int, tuple[int, list[int]]] = OrderedDict()
        self._samples = _none()
        self._worst_lag_us = 0

    def applied(self, observed_us: int, accepted_us: int, logged_us: int, now_us: int) -> None:
        """One record has reached the picture; `observed_us`: of one of its readings."""
        self._worst_lag_us = max(self._worst_lag_us, now_us - logged_us)
        self._waiting.add(_Trace(accepted_us, now_us))
        self._keep("accepted", accepted_us - observed_us)
        self._keep("logged", logged_us - accepted_us)
        self._keep("pictured", now_us - logged_us)

    def sent(self, tick_us: int, now_us: int) -> None:
        """What was applied has been handed to the sockets, as the tick of `tick_us`."""
        for trace in self._waiting:
            self._keep("sent", now_us - trace.pictured_us)
            self._keep("latency", now_us - trace.accepted_us)
        if self._waiting:
            stride = -(-len(self._waiting) // SAMPLES_PER_TICK)
            accepted = [trace.accepted_us for trace in self._waiting[::stride]]
            self._ticks[tick_us // 1000] = now_us, accepted
            if len(self._ticks) > KEPT_TICKS:
                self._ticks.popitem(last=False)
        self._waiting = _Sampled()

    def painted(self, sent_at: int, now_us: int) -> None:
        """A screen says that it shows the tick of `sent_at` (milliseconds); any other moment is
        ignored, so that nobody can report what was never sent."""
        tick = self._ticks.get(sent_at)
        if tick is None:
            return
        sent_us, accepted = tick
        self._keep("painted", now_us - sent_us)
        for one in accepted[:: -(-len(accepted) // SAMPLES_PER_PAINT)]:
            self._keep("shown", now_us - one)

    def report(self) -> tuple[int, Mapping[Hop, Sequence[int]]]:
        """Worst lag in milliseconds, and each hop's samples in microseconds since the last
        report."""
        lag_ms = max(0, self._worst_lag_us) // 1000
        taken, self._samples, self._worst_lag_us = self._samples, _none(), 0
        return lag_ms, taken

    def _keep(self, hop: Hop, micros: int) -> None:
        self._samples[hop].add(max(0, micros))


def _none() -> dict[Hop, _Sampled[int]]:
    return {hop: _Sampled() for hop in HOPS}


def percentiles(micros: Sequence[int]) -> Latency:
    """In milliseconds, by nearest rank."""
    if not micros:
        return Latency()
    ordered = sorted(micros)
    return Latency(
        *(ordered[max(0, -(-len(ordered) * rank // 100) - 1)] // 1000 for rank in (50, 95, 99))
    )


def hops_of(found: Mapping[Hop, Latency]) -> Hops:
    """As the pulse tells them."""
    return Hops(**{hop: found[hop] for hop in HOPS if hop != "latency"})
