"""One connected screen: what it has got, what it is getting, what it still has to get."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from services.ops_center.board import LoggedEvent
from services.ops_center.eager import begin
from services.ops_center.protocol import Mark, ResyncReason
from services.ops_center.telling import Telling
from shared.clock import monotonic
from shared.contracts.live import Filter, ScreenInfo
from shared.web.identity import Restrictions

WAITING_EVENTS = 10_000  # beyond it the screen is told to take a snapshot
EVENTS_AT_ONCE = 100  # frames made for a slow screen in one go

Frame = str | bytes


class Screen(Protocol):
    """A socket as the hub sees it."""

    def send(self, frame: Frame) -> Coroutine[Any, Any, None]:
        """Returns when the socket has room for more; raises when it is closed."""
        ...


@dataclass(slots=True)
class Wish:
    """What a screen asked for, what it is confined to, what it is to show; `gzip`: it takes
    compressed snapshots; `telling`: what it may be told, None for everything."""

    filter: Filter | None = None
    rights: Restrictions | None = None
    shown: ScreenInfo | None = None
    gzip: bool = False
    telling: Telling | None = None


class Client:
    """`idle`: free to be sent the common frames. Else its series are conflated and its incident
    events queued until it is free; both are bounded."""

    __slots__ = (
        "__weakref__", "_begun", "_screen", "_sending", "_slowest", "behind", "confirm",
        "conflated", "events", "gone", "heard", "mark", "news", "resync", "wish",
    )  # fmt: skip

    def __init__(self, screen: Screen, mark: Mark, wish: Wish) -> None:
        self.mark = mark
        self.wish = wish
        self.resync: ResyncReason | None = None
        self.confirm = False  # owes the screen a delta, even an empty one
        self.news: dict[str, Frame] = {}  # kind → newest frame of its own: pulse, screen
        self.behind: set[int] = set()
        self.events: deque[LoggedEvent] = deque()
        self.gone: asyncio.Future[tuple[int, str]] = asyncio.get_running_loop().create_future()
        self.heard = monotonic()  # when it last took or said something
        self.conflated = 0  # since its last pulse
        self._screen = screen
        self._slowest = 0.0
        self._begun = 0.0
        self._sending: asyncio.Task[None] | None = None

    @property
    def idle(self) -> bool:
        """Ready for the common frames: nothing on its way, nothing waiting."""
        return self._sending is None and not (
            self.behind or self.events or self.resync or self.confirm or self.news
        )

    @property
    def busy(self) -> bool:
        """A frame is on its way that the screen has no room for yet."""
        return self._sending is not None

    @property
    def owed(self) -> bool:
        """Something waits for this screen, and it is free to take it."""
        return self._sending is None and self._waiting and not self.gone.done()

    @property
    def _waiting(self) -> bool:
        return bool(self.resync or self.events or self.behind or self.confirm or self.news)

    def defer(self, series: Iterable[int], events: Sequence[LoggedEvent]) -> int:
        """Keep for later; how many series updates got conflated with earlier ones."""
        numbers = set(series)
        conflated = len(numbers & self.behind)
        self.conflated += conflated
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

    def take_news(self) -> list[Frame]:
        """The frames of its own that wait."""
        news, self.news = list(self.news.values()), {}
        return news

    def take_lateness(self) -> tuple[int, int]:
        """Since the last call: the longest it took to take what was sent, in milliseconds, and how
        many of its updates were conflated."""
        slowest = max(self._slowest, monotonic() - self._begun if self.busy else 0.0)
        found = round(slowest * 1000), self.conflated
        self._slowest, self.conflated = 0.0, 0
        return found

    def start(self, frames: Sequence[Frame], mark: Mark, done: Callable[["Client"], None]) -> None:
        """Send `frames` in order; `mark` holds once they are sent.

        `done` is called only if the screen was not quick enough to take them at once.
        """
        try:
            for at, frame in enumerate(frames):
                task = begin(self._screen.send(frame))
                if task is not None:
                    self._wait(task, frames[at + 1 :], mark, done)
                    return
        except Exception as error:  # whatever a closed socket raises, this screen is gone
            self.leave(1006, type(error).__name__)
            return
        self.mark = mark

    def leave(self, code: int, reason: str) -> None:
        """Give the screen up; whoever serves its socket closes it."""
        if self._sending is not None:
            self._sending.cancel()
        if not self.gone.done():
            self.gone.set_result((code, reason))

    def _wait(
        self,
        first: "asyncio.Task[None]",
        rest: Sequence[Frame],
        mark: Mark,
        done: Callable[["Client"], None],
    ) -> None:
        self._begun = self.heard = monotonic()
        self._sending = asyncio.get_running_loop().create_task(self._send(first, rest))
        self._sending.add_done_callback(lambda task: self._finished(task, mark, done))

    async def _send(self, first: "asyncio.Task[None]", rest: Sequence[Frame]) -> None:
        await first
        for frame in rest:
            self.heard = monotonic()
            await self._screen.send(frame)

    def _finished(
        self, task: "asyncio.Task[None]", mark: Mark, done: Callable[["Client"], None]
    ) -> None:
        self._sending = None
        self._slowest = max(self._slowest, monotonic() - self._begun)
        if task.cancelled() or task.exception() is not None:
            self.leave(1006, "the socket is closed")
            return
        self.mark = mark
        done(self)
