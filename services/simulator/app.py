"""Puts the simulator together: a simulated city, or the replay of a recorded file."""

import asyncio
import logging
import math
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from services.simulator.http_sender import HttpSender
from services.simulator.kafka_sender import KafkaSender
from services.simulator.live import STATUS_SECONDS, Course, LiveCity
from services.simulator.mapping import load_mapping
from services.simulator.persistence import Persistence, Say, Stopped
from services.simulator.places import known_places
from services.simulator.population import Sensor, populate, registration
from services.simulator.programme import Chosen, Programme
from services.simulator.progress import Receipts, ResumeFile
from services.simulator.recorded import header_of, locations_beside, opened
from services.simulator.replay import Pace, Replay
from services.simulator.scenarios import Kind, Scale, plan
from services.simulator.table import Span, Table, Tally
from services.simulator.world import Happenings, World
from shared.clock import Clock, monotonic, system_clock
from shared.errors import Misconfigured

_log = logging.getLogger(__name__)

DAY = 86_400
# Until every process that judges readings has heard of a new sensor; over HTTP the answer tells.
KAFKA_REGISTRY_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Target:
    """Where readings go. `kafka`: servers of the inbox, None: readings go over HTTP, too.
    Sensors are registered over HTTP at `url` in both cases. `access`: see
    `shared.eventlog.kafka_access`; `verify`: whether the certificate of `url` must be right."""

    url: str
    key: str
    kafka: str | None = None
    access: Mapping[str, Any] = field(default_factory=dict)
    verify: bool = True


@dataclass(frozen=True, slots=True)
class CityOptions:
    """A simulated city; see docs/simulator.md.

    `scenario`: one that begins `at` simulated seconds after the start, for `duration` seconds (0:
    its usual time); `calm`: none; None: a gentle programme. `start` None: now, and with a `speed`
    above 1 so long ago that it ends now. `run_for`: simulated seconds, None: until stopped.
    """

    url: str
    key: str
    speed: float = 1.0
    kafka: str | None = None
    seed: int = 1
    scenario: Kind | Literal["calm"] | None = None
    at: int = 30
    duration: int = 0
    sensors: int = 1200
    start: datetime | None = None
    run_for: int | None = None
    access: Mapping[str, Any] = field(default_factory=dict)
    verify: bool = True


@dataclass(frozen=True, slots=True)
class ReplayOptions:
    """The replay of `file`; see docs/simulator.md. `speed` None: as fast as it is taken."""

    file: Path
    mapping: Path
    target: Target
    speed: float | None = None
    batch: int = 500
    lanes: int = 4
    span: Span = field(default_factory=Span)
    limit_rows: int | None = None
    resume_file: Path | None = None
    receipts: Path | None = None


async def run_city(
    options: CityOptions,
    stop: asyncio.Event,
    *,
    say: Say = _log.info,
    clock: Clock = system_clock,
    status_seconds: float = STATUS_SECONDS,
) -> None:
    """Simulate until `stop` or the end. Raises `Misconfigured`."""
    persistence = Persistence(stop, say)
    target = Target(options.url, options.key, options.kafka, options.access, options.verify)
    async with AsyncExitStack() as stack:
        http, sender = _senders(target, stack)
        try:
            areas = await persistence.until_done(http.areas)
            if not areas:
                raise Misconfigured(f"{options.url} knows no districts to put sensors in")
            sensors = populate(areas, known_places(), options.seed, options.sensors)
            known = [registration(sensor) for sensor in sensors]
            await persistence.until_done(lambda: http.register(known))
            if options.kafka is not None:
                await persistence.pause(KAFKA_REGISTRY_SECONDS)
        except Stopped:
            return
        say(f"{len(sensors)} sensors in {len(areas)} districts registered")
        course = course_of(options, clock())
        world = World(sensors, options.seed, _happenings(options, sensors, course.start))
        city = LiveCity(world, sender, course, clock, say, status_seconds)
        await city.run(stop)


def course_of(options: CityOptions, now: datetime) -> Course:
    """When simulated time starts and ends. Raises `Misconfigured` for a start to come."""
    if options.start is not None and options.start > now:
        raise Misconfigured(f"the start {options.start.isoformat()} has not come yet")
    if options.start is not None:
        start = math.ceil(options.start.timestamp())
    elif options.speed > 1:
        start = math.ceil(now.timestamp()) - (options.run_for or DAY)
    else:
        start = math.ceil(now.timestamp())
    end = None if options.run_for is None else start + options.run_for
    return Course(start, end, options.speed)


def _happenings(options: CityOptions, sensors: Sequence[Sensor], start: int) -> Happenings:
    match options.scenario:
        case None:
            return Programme(sensors, options.seed, start)
        case "calm":
            return Chosen(None)
        case Kind() as kind:
            begin = start + options.at
            run = plan(kind, Scale.FULL, sensors, options.seed, begin, options.duration)
            return Chosen(run)


async def run_replay(options: ReplayOptions, stop: asyncio.Event, say: Say) -> dict[str, Any]:
    """Send the file; returns the closing summary. Raises `Misconfigured`."""
    mapping = load_mapping(options.mapping)
    persistence, tally, began = Persistence(stop, say), Tally(), monotonic()
    resume = ResumeFile(options.resume_file, options.file)
    skip = resume.load()
    complete = False
    async with AsyncExitStack() as stack:
        lines = stack.enter_context(opened(options.file, mapping))
        table = Table(mapping, header_of(lines, options.file), str(options.mapping))
        http, sender = _senders(options.target, stack)
        registry = _Registry(http, persistence, options.target.kafka is not None)
        receipts = Receipts(options.receipts)
        stack.callback(receipts.close)
        pace = Pace(options.speed)
        replay = Replay(
            sender,
            registry,
            persistence,
            pace,
            say,
            places=locations_beside(options.file, mapping),
            batch_size=options.batch,
            lanes=options.lanes,
        )
        rows = table.readings(islice(lines, options.limit_rows), tally, options.span, skip)
        try:
            await replay.register(table.known_sensors())
            numbered = ((tally.rows, readings) for readings in rows)
            await replay.run(table, numbered, receipts, resume)
            complete = True
        except Stopped:
            say("stopped before the end")
    for sample in tally.samples:
        say(f"{options.file.name}, {sample}")
    summary = _summary(options, tally, replay, monotonic() - began)
    return summary | {"resumed_at_row": skip, "complete": complete, "retries": persistence.retries}


def _summary(
    options: ReplayOptions, tally: Tally, replay: Replay, seconds: float
) -> dict[str, Any]:
    done = replay.outcome
    return {
        "file": options.file.name,
        "via": "http" if options.target.kafka is None else "kafka",
        "rows": tally.rows,
        "rows_outside": tally.outside,
        "batches": done.batches,
        "sent": done.sent,
        "accepted": done.accepted,
        "rejected": dict(done.rejected),
        "missing": tally.missing,
        "malformed": dict(tally.malformed),
        "seconds": round(seconds, 3),
        "readings_per_second": round(done.sent / seconds) if seconds else 0,
    }


class _Registry:
    """Registers over HTTP, and gives the other processes time to hear of it."""

    def __init__(self, http: HttpSender, persistence: Persistence, waits: bool) -> None:
        self._http = http
        self._persistence = persistence
        self._waits = waits

    async def register(self, sensors: Sequence[Any]) -> None:
        await self._http.register(sensors)
        if self._waits and sensors:
            await self._persistence.pause(KAFKA_REGISTRY_SECONDS)


def _senders(target: Target, stack: AsyncExitStack) -> tuple[HttpSender, HttpSender | KafkaSender]:
    http = HttpSender(target.url, target.key, verify=target.verify)
    stack.push_async_callback(http.close)
    if target.kafka is None:
        return http, http
    kafka = KafkaSender(target.kafka, target.key, target.access)
    stack.push_async_callback(kafka.close)
    return http, kafka
