"""Each series' high-water mark: what is newer than it cannot be stored already, as far as we know.

An optimisation, never a promise: a mark that is too high sends a new row the slow way, one that is
too low makes COPY collide, and the batch is then stored the slow way as a whole.
"""

from services.ingest.storage.copyrows import prefix_of
from services.ingest.storage.fold import FIRST_US, LAST_US

SERIES = 50_000  # some 25 MB; when there are more, all are forgotten and learnt anew
UNKNOWN_US = FIRST_US - 1


class Mark:
    """`newest_us`: the newest time met; `prefix`: how each row of the series begins in a COPY;
    `tails`: the rest of the rows of the portion that is being made ready."""

    __slots__ = ("newest_us", "prefix", "tails")

    def __init__(self, newest_us: int, prefix: bytes) -> None:
        self.newest_us = newest_us
        self.prefix = prefix
        self.tails: list[bytes] = []

    def take_rows(self) -> bytes:
        """The portion's rows of the series, which are then forgotten."""
        rows = self.prefix + self.prefix.join(self.tails)
        self.tails = []
        return rows


class Marks:
    """The marks of at most `bound` series; one that is not among them counts as never met."""

    def __init__(self, bound: int = SERIES) -> None:
        self.known: dict[tuple[str, str], Mark] = {}
        self._bound = bound

    def learn(self, series: tuple[str, str]) -> Mark:
        """The mark of a series that is not `known`."""
        if len(self.known) >= self._bound:
            self.known.clear()
        storable = "\0" not in series[0] and "\0" not in series[1]
        mark = Mark(UNKNOWN_US if storable else LAST_US, prefix_of(*series))
        self.known[series] = mark
        return mark

    def lift(self, series: tuple[str, str], newest_us: int) -> None:
        """So new is what the database holds of it."""
        mark = self.known.get(series) or self.learn(series)
        mark.newest_us = max(mark.newest_us, newest_us)
