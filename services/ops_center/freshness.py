"""How fresh the picture is: lag of the log, latency from acceptance to the socket. Pure."""

from collections.abc import Sequence

from shared.contracts.live import Latency

KEPT_SAMPLES = 20_000  # per pulse; beyond it the share that is kept stays even


class Freshness:
    """Collects between two pulses. All times in epoch microseconds."""

    def __init__(self) -> None:
        self._waiting: list[int] = []
        self._latencies_ms: list[int] = []
        self._worst_lag_us = 0
        self._stride = 1
        self._seen = 0

    def applied(self, accepted_us: int, logged_us: int, now_us: int) -> None:
        """One record has reached the picture."""
        self._worst_lag_us = max(self._worst_lag_us, now_us - logged_us)
        self._seen += 1
        if self._seen % self._stride == 0:
            self._waiting.append(accepted_us)
            self._thin_out(self._waiting)

    def sent(self, now_us: int) -> list[float]:
        """What was applied has been handed to the sockets; its latencies in seconds."""
        latencies = [max(0, now_us - accepted) for accepted in self._waiting]
        self._waiting = []
        self._latencies_ms += [latency // 1000 for latency in latencies]
        self._thin_out(self._latencies_ms)
        return [latency / 1e6 for latency in latencies]

    def report(self) -> tuple[int, Latency]:
        """Lag in milliseconds and the latency's percentiles since the last report."""
        ordered = sorted(self._latencies_ms)
        lag_ms = max(0, self._worst_lag_us) // 1000
        self._latencies_ms, self._worst_lag_us, self._stride = [], 0, 1
        return lag_ms, Latency(*(_percentile(ordered, rank) for rank in (50, 95, 99)))

    def _thin_out(self, samples: list[int]) -> None:
        if len(samples) > KEPT_SAMPLES:
            del samples[::2]
            self._stride *= 2


def _percentile(ordered: Sequence[int], rank: int) -> int | None:
    """Nearest rank; None of nothing."""
    if not ordered:
        return None
    return ordered[max(0, -(-len(ordered) * rank // 100) - 1)]
