"""One connected screen: what it has got, what it is getting, what it still has to get."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from services.ops_center.board import LoggedEvent
from services.ops_center.eager import begin
from services.ops_center.metrics import CHARACTERS, FRAMES
from services.ops_center.protocol import Mark, ResyncReason

WAITING_EVENTS = 10_000  # beyond it the screen is told to take a snapshot
EVENTS_AT_ONCE = 100  # frames made for a slow screen in one go


class Screen(Protocol):
    """A socket as the hub sees it."""

    async def send(self, frame: str) -> None:
        """Returns when the socket has room for more; raises when it is closed."""
        ...


class Client:
    """`idle`: free to be sent the common frames. Else its series are conflated and its incident
    events queued until it is free; both are bounded."""

    def __init__(self, screen: Screen, mark: Mark) -> None:
        self.mark = mark
        self.resync: ResyncReason | None = None
        self.confirm = False  # owes the screen a delta, even an empty one
        self.behind: set[int] = set()
        self.events: deque[LoggedEvent] = deque()
        self.gone: asyncio.Future[tuple[int, str]] = asyncio.get_running_loop().create_future()
        self.busy_since: float | None = None
        self._screen = screen
        self._sending: asyncio.Task[None] | None = None

    @property
    def idle(self) -> bool:
        """Ready for the common frames: nothing on its way, nothing waiting."""
        return self._sending is None and not self._waiting

    @property
    def owed(self) -> bool:
        """Something waits for this screen, and it is free to take it."""
        return self._sending is None and self._waiting and not self.gone.done()

    @property
    def _waiting(self) -> bool:
        return bool(self.resync or self.events or self.behind or self.confirm)

    def defer(self, series: Iterable[int], events: Sequence[LoggedEvent]) -> int:
        """Keep for later; how many series updates got conflated with earlier ones."""
        numbers = set(series)
        conflated = len(numbers & self.behind)
        self.behind |= numbers
        self.events.extend(events)
        if len(self.events) > WAITING_EVENTS:
            self.forget(ResyncReason.OVERFLOW)
        return conflated

    def forget(self, reason: ResyncReason | None) -> None:
        """Nothing waits any more but, with a reason, a snapshot."""
        self.resync, self.confirm = reason, False
        self.behind = set()
        self.events.clear()

    def next_events(self) -> list[LoggedEvent]:
        """The next queued events, at most `EVENTS_AT_ONCE`."""
        count = min(EVENTS_AT_ONCE, len(self.events))
        return [self.events.popleft() for _ in range(count)]

    def start(
        self, frames: Sequence[str], mark: Mark, now: float, done: Callable[["Client"], None]
    ) -> None:
        """Send `frames` in order; `mark` holds once they are sent. `now`: monotonic seconds.

        `done` is called only if the screen was not quick enough to take them at once.
        """
        try:
            task = begin(self._send(frames))
        except Exception as error:  # whatever a closed socket raises, this screen is gone
            self.leave(1006, type(error).__name__)
            return
        if task is None:
            self.mark = mark
            return
        self._sending, self.busy_since = task, now
        task.add_done_callback(lambda task: self._finished(task, mark, done))

    def leave(self, code: int, reason: str) -> None:
        """Give the screen up; whoever serves its socket closes it."""
        if self._sending is not None:
            self._sending.cancel()
        if not self.gone.done():
            self.gone.set_result((code, reason))

    async def _send(self, frames: Sequence[str]) -> None:
        for frame in frames:
            await self._screen.send(frame)
            FRAMES.inc()
            CHARACTERS.inc(len(frame))

    def _finished(
        self, task: "asyncio.Task[None]", mark: Mark, done: Callable[["Client"], None]
    ) -> None:
        self._sending, self.busy_since = None, None
        if task.cancelled() or task.exception() is not None:
            self.leave(1006, "the socket is closed")
            return
        self.mark = mark
        done(self)
