"""The last part of a traced reading's way: on the picture, sent, painted."""

from collections import OrderedDict, deque

from shared import tracing
from shared.tracing import Header

KEPT_TICKS = 240  # a minute
WAITING = 1_000  # traced records between two ticks

Headers = tuple[Header, ...]


class Passage:
    """Of the records that carry a trace; of the others it knows nothing. Epoch microseconds."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Headers, int]] = deque(maxlen=WAITING)
        self._ticks: OrderedDict[int, tuple[int, list[Headers]]] = OrderedDict()

    def pictured(self, headers: Headers, logged_us: int, now_us: int) -> None:
        """A record has reached the picture."""
        if tracing.parent_of(headers) is not None:
            tracing.follow(headers, "ops_center: picture", logged_us, now_us)
            self._waiting.append((headers, now_us))

    def sent(self, tick_us: int, now_us: int) -> None:
        """What was pictured has been handed to the sockets, as the tick of `tick_us`."""
        if not self._waiting:
            return
        for headers, pictured_us in self._waiting:
            tracing.follow(headers, "ops_center: send", pictured_us, now_us)
        self._ticks[tick_us // 1000] = now_us, [headers for headers, _ in self._waiting]
        self._waiting.clear()
        if len(self._ticks) > KEPT_TICKS:
            self._ticks.popitem(last=False)

    def painted(self, sent_at: int, now_us: int) -> None:
        """A screen shows the tick of `sent_at` (milliseconds); the first one to say so counts."""
        if not self._ticks or (tick := self._ticks.pop(sent_at, None)) is None:
            return
        sent_us, records = tick
        for headers in records:
            tracing.follow(headers, "wall: paint", sent_us, now_us)
