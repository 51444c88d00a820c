"""Keeps the picture: loads it from the database once, then follows the event log."""

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from services.ops_center.board import Board
from services.ops_center.hub import Hub
from services.ops_center.metrics import POISON, READINGS
from services.ops_center.picture import Latest, Picture
from services.ops_center.protocol import ResyncReason, Vector
from services.ops_center.registry import Registry, SeriesKey
from shared.clock import Clock, monotonic, to_micros
from shared.contracts.reading import decode_batch
from shared.contracts.topics import INCIDENTS, SENSORS
from shared.contracts.topics import READINGS as READINGS_TOPIC
from shared.errors import Poison, Unavailable
from shared.eventlog.log import EventLog, Record
from shared.metrics import CONSUMED_TO

_log = logging.getLogger(__name__)

REWIND_READINGS = 1_000  # records per partition read again, so that tokens from before a restart
REWIND_INCIDENTS = 5_000  # can be resumed
BATCH_RECORDS = 200
WAIT_SECONDS = 0.5
ITEMS_AT_ONCE = 1_000  # then the loop is given to others
REFRESH_SECONDS = 1.0  # the registry is read anew at most so often …
LOOK_SECONDS = 30.0  # … and at least so often, should a change never have reached the log
CATCH_UP_SECONDS = 15.0  # a picture that lags is shown rather than none


@dataclass(frozen=True)
class Loaded:
    """One consistent moment of the database.

    `next_offsets`: how far the writer had stored this `city.readings`, by partition; those it had
    not begun are missing. `incidents`: every open incident, as JSON.
    """

    registry: Registry
    latest: Mapping[SeriesKey, Latest]
    next_offsets: Mapping[int, int]
    incidents: Sequence[bytes]


class Loader(Protocol):
    """The database as the feed needs it."""

    async def fingerprint(self) -> str:
        """Changes whenever the registry does; cheap."""
        ...

    async def load(self, incarnation: str) -> Loaded:
        """Everything. Raises `Unavailable`."""
        ...

    async def refresh(
        self, known: Collection[SeriesKey]
    ) -> tuple[Registry, Mapping[SeriesKey, Latest]]:
        """The registry, and the newest readings of the series that are not `known`."""
        ...


class Feed:
    """`run` is a job; whatever breaks it, the next run goes on where the picture stands."""

    def __init__(self, log: EventLog, loader: Loader, hub: Hub, clock: Clock) -> None:
        self._log = log
        self._loader = loader
        self._hub = hub
        self._clock = clock
        self._picture: Picture | None = None
        self._sensors: Mapping[int, int] = {}
        self._goal: tuple[Vector, Vector] = ((), ())  # the ends of the log when it was loaded
        self._goal_deadline = 0.0
        self._shown = False
        self._changed = asyncio.Event()  # the registry

    @property
    def picture(self) -> Picture:
        """Raises `Unavailable` before it is loaded."""
        if self._picture is None or not self._shown:
            raise Unavailable("the live picture is still loading")
        return self._picture

    async def check(self) -> str | None:
        """Readiness: None, or why the picture is not there."""
        return None if self._shown else "the live picture is loading"

    async def run(self, stop: asyncio.Event) -> None:
        """Load if need be, then follow the log until `stop`. Raises `Unavailable`."""
        if not await self._can_go_on():
            await self._load()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._follow_readings(stop))
                group.create_task(self._follow_incidents(stop))
                group.create_task(self._follow_sensors(stop))
                group.create_task(self._refresh_registry(stop))
        except* Unavailable as errors:
            raise Unavailable(str(errors.exceptions[0])) from errors

    async def _can_go_on(self) -> bool:
        picture = self._picture
        if picture is None or picture.incarnation != await self._log.incarnation():
            return False
        readings, incidents = await self._starts()
        position = (*picture.position, *picture.board.position)
        return all(start <= at for start, at in zip((*readings, *incidents), position, strict=True))

    async def _load(self) -> None:
        incarnation = await self._log.incarnation()
        starts = await self._starts()
        ends = await self._ends()
        self._sensors = await self._log.ends(SENSORS)
        loaded = await self._loader.load(incarnation)
        readings = _readings_start(loaded.next_offsets, starts[0])
        incidents = _back(ends[1], REWIND_INCIDENTS, starts[1])
        board = Board(loaded.incidents, incidents)
        self._picture = Picture(loaded.registry, loaded.latest, board, readings, incarnation)
        self._goal, self._goal_deadline = ends, monotonic() + CATCH_UP_SECONDS
        self._shown = False
        self._show_when_caught_up()
        _log.info(
            "picture loaded: %d series, %d open incidents",
            len(loaded.registry.series),
            len(loaded.incidents),
        )

    def _show_when_caught_up(self) -> None:
        picture = self._picture
        if self._shown or picture is None:
            return
        here = (*picture.position, *picture.board.position)
        goal = (*self._goal[0], *self._goal[1])
        arrived = all(at >= end for at, end in zip(here, goal, strict=True))
        if arrived or monotonic() > self._goal_deadline:
            self._shown = True
            self._hub.show(picture, ResyncReason.RELOADED)

    async def _follow_readings(self, stop: asyncio.Event) -> None:
        start = dict(enumerate(self._loaded().position))
        await self._follow(READINGS_TOPIC, start, self._take_readings, stop)

    async def _follow_incidents(self, stop: asyncio.Event) -> None:
        start = dict(enumerate(self._loaded().board.position))
        await self._follow(INCIDENTS, start, self._take_incident, stop)

    async def _follow_sensors(self, stop: asyncio.Event) -> None:
        await self._follow(SENSORS, self._sensors, self._take_sensor, stop)

    async def _follow(
        self,
        topic: str,
        start: Mapping[int, int],
        take: Callable[[Record], int],
        stop: asyncio.Event,
    ) -> None:
        """`take` answers how many items the record held."""
        following = dict(start)
        async with self._log.read(topic, start) as reader:
            while not stop.is_set():
                items = 0
                for record in await reader.batch(BATCH_RECORDS, WAIT_SECONDS):
                    if record.offset > following.get(record.partition, 0):
                        await self._look_for_loss(record, following.get(record.partition, 0))
                    following[record.partition] = record.offset + 1
                    items += take(record)
                    if items >= ITEMS_AT_ONCE:
                        items = 0
                        await asyncio.sleep(0)
                self._show_when_caught_up()

    async def _look_for_loss(self, record: Record, expected: int) -> None:
        """The log keeps nothing for readers without a group: one that fell behind loads anew."""
        starts = await self._log.starts(record.topic)
        if record.topic != SENSORS and starts[record.partition] > expected:
            self._picture = None
            raise Unavailable(f"the picture fell behind what {record.topic} keeps")

    def _take_readings(self, record: Record) -> int:
        """How many readings the record held."""
        picture = self._loaded()
        try:
            batch = decode_batch(record.value)
        except ValueError as error:
            _report_poison(record, error)
            picture.skip_reading(record.partition, record.offset)
            return 1
        late = picture.late
        changed = picture.apply_readings(record.partition, record.offset, batch.items)
        READINGS.labels("shown").inc(changed)
        READINGS.labels("late").inc(picture.late - late)
        CONSUMED_TO.labels("picture", record.partition).set(record.logged_us / 1e6)
        if self._shown and changed:
            now_us, observed_us = to_micros(self._clock()), batch.items[-1].observed_us
            self._hub.journey.applied(observed_us, batch.accepted_us, record.logged_us, now_us)
            if record.headers:
                self._hub.passage.pictured(record.headers, record.logged_us, now_us)
        return len(batch.items)

    def _take_incident(self, record: Record) -> int:
        try:
            self._loaded().apply_incident(record.partition, record.offset, record.value)
        except Poison as error:
            _report_poison(record, error)
        return 1

    def _take_sensor(self, record: Record) -> int:
        self._sensors = {**self._sensors, record.partition: record.offset + 1}
        self._changed.set()
        return 1

    async def _refresh_registry(self, stop: asyncio.Event) -> None:
        seen = await self._loader.fingerprint()
        while not stop.is_set():
            await _either(stop, self._changed, LOOK_SECONDS)
            told, now = self._changed.is_set(), await self._loader.fingerprint()
            self._changed.clear()
            if stop.is_set() or (not told and now == seen):
                continue
            seen = now
            known = self._loaded().registry.index.keys()
            registry, latest = await self._loader.refresh(known)
            picture = self._loaded()  # it has gone on meanwhile
            if registry.version != picture.registry.version:
                self._picture = picture.with_registry(registry, latest)
                if self._shown:
                    self._hub.show(self._picture, ResyncReason.REGISTRY)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), REFRESH_SECONDS)

    def _loaded(self) -> Picture:
        if self._picture is None:
            raise Unavailable("the live picture is still loading")
        return self._picture

    async def _starts(self) -> tuple[Vector, Vector]:
        topics = (READINGS_TOPIC, INCIDENTS)
        readings, incidents = [_vector(await self._log.starts(topic)) for topic in topics]
        return readings, incidents

    async def _ends(self) -> tuple[Vector, Vector]:
        topics = (READINGS_TOPIC, INCIDENTS)
        readings, incidents = [_vector(await self._log.ends(topic)) for topic in topics]
        return readings, incidents


def _readings_start(stored: Mapping[int, int], starts: Vector) -> Vector:
    """Where to read on: somewhat before what the database holds. What it holds nothing of is read
    from its beginning; reading anew what was shown before changes nothing."""
    here = tuple(stored.get(partition, start) for partition, start in enumerate(starts))
    return _back(here, REWIND_READINGS, starts)


def _back(here: Vector, records: int, starts: Vector) -> Vector:
    return tuple(max(start, at - records) for at, start in zip(here, starts, strict=True))


def _vector(offsets: Mapping[int, int]) -> Vector:
    return tuple(offsets[partition] for partition in sorted(offsets))


def _report_poison(record: Record, error: Exception) -> None:
    POISON.labels(record.topic).inc()
    _log.warning(
        "%s[%d]@%d is unreadable: %s", record.topic, record.partition, record.offset, error
    )


async def _either(one: asyncio.Event, other: asyncio.Event, seconds: float) -> None:
    """Until one of two events is set, or the time is over."""
    waits = [asyncio.ensure_future(event.wait()) for event in (one, other)]
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
