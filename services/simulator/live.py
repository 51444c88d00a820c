"""Plays a world against the clock and sends what its sensors observe."""

import asyncio
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

from services.simulator.persistence import Persistence, Say, Sender, Stopped
from services.simulator.records import Reading
from services.simulator.world import World
from shared.clock import Clock, monotonic

MAX_BACKLOG = 50_000  # readings; about ten minutes of a whole city
BATCH = 1000
STATUS_SECONDS = 60.0
CROWDED_SECONDS = 0.05
_SECONDS_AT_ONCE = 60  # of simulated time, before others get their turn


@dataclass
class Counts:
    """What became of the readings made so far. `dropped`: for want of room in the backlog."""

    made: int = 0
    accepted: int = 0
    dropped: int = 0
    rejected: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Course:
    """Simulated time: `start` and `end` (None: none) in seconds since the epoch, and how many
    simulated seconds pass in a real one."""

    start: int
    end: int | None
    speed: float


class Backlog:
    """What waits to be sent; bounded: a live source's newest readings are worth most."""

    def __init__(self, limit: int = MAX_BACKLOG) -> None:
        self._limit = limit
        self._readings: deque[Reading] = deque()
        self._changed = asyncio.Event()
        self.closed = False

    def __len__(self) -> int:
        return len(self._readings)

    @property
    def is_crowded(self) -> bool:
        """True when who can wait should: half full."""
        return len(self._readings) > self._limit // 2

    def put(self, readings: Sequence[Reading]) -> int:
        """Add; returns how many of the oldest had to go."""
        self._readings.extend(readings)
        excess = max(0, len(self._readings) - self._limit)
        for _ in range(excess):
            self._readings.popleft()
        self._changed.set()
        return excess

    def close(self) -> None:
        """Nothing more will come."""
        self.closed = True
        self._changed.set()

    async def take(self) -> list[Reading]:
        """The oldest ones, at most `BATCH`; waits for some. Empty when closed and empty."""
        while not self._readings and not self.closed:
            self._changed.clear()
            await self._changed.wait()
        return [self._readings.popleft() for _ in range(min(BATCH, len(self._readings)))]


class LiveCity:
    """A world that is being played."""

    def __init__(
        self,
        world: World,
        sender: Sender,
        course: Course,
        clock: Clock,
        say: Say,
        status_seconds: float = STATUS_SECONDS,
    ) -> None:
        self.counts = Counts()
        self._world = world
        self._sender = sender
        self._course = course
        self._clock = clock
        self._say = say
        self._status_seconds = status_seconds
        self._backlog = Backlog()
        self._next = course.start

    async def run(self, stop: asyncio.Event) -> None:
        """Until the course's end or `stop`. Raises `Misconfigured`."""
        persistence = Persistence(stop, self._say)
        tasks = {
            asyncio.create_task(self._make(persistence)),
            asyncio.create_task(self._deliver(persistence)),
        }
        status = asyncio.create_task(self._tell_now_and_then(persistence))
        stopping = asyncio.create_task(stop.wait())
        try:
            while tasks and not stop.is_set():
                done, _ = await asyncio.wait(
                    {*tasks, stopping}, return_when=asyncio.FIRST_COMPLETED
                )
                tasks -= done
                for task in done - {stopping}:
                    task.result()
        except Stopped:
            pass
        finally:
            # A request in flight is given up: the receiver may be stopping too.
            leftover = [*tasks, status, stopping]
            for task in leftover:
                task.cancel()
            await asyncio.gather(*leftover, return_exceptions=True)
            self._tell()

    async def _make(self, persistence: Persistence) -> None:
        course, anchor = self._course, monotonic()
        while course.end is None or self._next < course.end:
            elapsed = (monotonic() - anchor) * course.speed
            now = min(course.start + elapsed, self._clock().timestamp())
            if course.speed > 1 and self._backlog.is_crowded:
                await persistence.pause(CROWDED_SECONDS)
            elif self._make_until(now):
                await asyncio.sleep(0)
            else:
                due = (self._next + 1 - now) / course.speed
                await persistence.pause(min(1.0, max(0.01, due)))
        self._backlog.close()

    def _make_until(self, now: float) -> int:
        """A second is made when it is over, so that nothing is observed in the future."""
        ready = min(int(now) - self._next, _SECONDS_AT_ONCE)
        if self._course.end is not None:
            ready = min(ready, self._course.end - self._next)
        for _ in range(ready):
            self._make_second()
        return max(0, ready)

    def _make_second(self) -> None:
        readings = self._world.second(self._next)
        self._next += 1
        self.counts.made += len(readings)
        self.counts.dropped += self._backlog.put(readings)

    async def _deliver(self, persistence: Persistence) -> None:
        while batch := await self._backlog.take():
            answer = await persistence.until_done(partial(self._sender.send, batch))
            self.counts.accepted += answer.accepted
            self.counts.rejected.update(item.code for item in answer.rejected)

    async def _tell_now_and_then(self, persistence: Persistence) -> None:
        while True:
            await persistence.pause(self._status_seconds)
            self._tell()

    def _tell(self) -> None:
        counts = self.counts
        moment = datetime.fromtimestamp(self._next, UTC).isoformat(timespec="seconds")
        refused = f", rejected {dict(counts.rejected)}" if counts.rejected else ""
        dropped = f", dropped {counts.dropped}" if counts.dropped else ""
        self._say(
            f"simulated until {moment}: accepted {counts.accepted} of {counts.made},"
            f" waiting {len(self._backlog)}{refused}{dropped}"
        )
