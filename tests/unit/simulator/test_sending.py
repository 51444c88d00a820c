"""Retries, order, progress and the live backlog: nothing acknowledged twice or forgotten."""

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from services.simulator.app import CityOptions, course_of
from services.simulator.http_sender import HttpSender
from services.simulator.live import BATCH, Backlog, Course, LiveCity
from services.simulator.mapping import parse_mapping
from services.simulator.persistence import Persistence, Stopped
from services.simulator.population import Sensor
from services.simulator.programme import Chosen
from services.simulator.progress import Receipts, ResumeFile, Watermark
from services.simulator.records import Answer, Reading, Registration, Rejected
from services.simulator.replay import Pace, Replay
from services.simulator.table import Span, Table, Tally
from services.simulator.world import World
from shared.clock import system_clock
from shared.errors import Misconfigured, Overloaded, Unavailable
from tests.unit.simulator.conftest import SEED

NOW = datetime(2026, 5, 1, tzinfo=UTC)
MAPPING = parse_mapping(
    'title: T\nsource: S\ntime: {column: at, zone: "+00:00"}\nsensor: {column: s, prefix: x-}\n'
    "columns: {v: {metric: noise.level}}",
    "m.yaml",
)


def silent(_: str) -> None:
    pass


def reading(number: int) -> Reading:
    return Reading("x-1", "noise.level", NOW + timedelta(seconds=number), float(number))


class Receiver:
    """Accepts, after it has failed as told. `unknown`: refuses a sensor so many times."""

    def __init__(self, failures: Sequence[Exception] = (), unknown: int = 0) -> None:
        self.failures = list(failures)
        self.unknown = unknown
        self.got: list[Reading] = []
        self.registered: list[str] = []

    async def send(self, batch: Sequence[Reading]) -> Answer:
        await asyncio.sleep(0)
        if self.failures:
            raise self.failures.pop(0)
        if self.unknown:
            self.unknown -= 1
            return Answer(None, 0, [Rejected(i, "unknown_sensor") for i in range(len(batch))])
        assert {r.sensor_id for r in batch} <= set(self.registered)
        self.got += batch
        return Answer("r", len(batch))

    async def register(self, sensors: Sequence[Registration]) -> None:
        self.registered += [sensor.sensor_id for sensor in sensors]


def rows(count: int) -> list[list[str]]:
    return [[f"2026-05-01 00:{n // 60:02d}:{n % 60:02d}", str(n % 5), str(n)] for n in range(count)]


async def replayed(
    receiver: Receiver, folder: Path, count: int = 200, stop: asyncio.Event | None = None
) -> Replay:
    persistence = Persistence(stop or asyncio.Event(), silent)
    replay = Replay(
        receiver, receiver, persistence, Pace(None), silent, places={}, batch_size=7, lanes=3
    )
    table, tally = Table(MAPPING, ["at", "s", "v"]), Tally()
    numbered = ((tally.rows, found) for found in table.readings(rows(count), tally, Span()))
    receipts = Receipts(folder / "receipts")
    try:
        await replay.run(table, numbered, receipts, ResumeFile(folder / "resume", Path("f.csv")))
    finally:
        receipts.close()
    return replay


async def test_a_replay_sends_everything_once_in_each_sensors_order(tmp_path: Path) -> None:
    receiver = Receiver([Unavailable("restarting"), Overloaded("busy", 0), Unavailable("gone")])
    replay = await replayed(receiver, tmp_path)
    assert replay.outcome.accepted == replay.outcome.sent == len(receiver.got) == 200
    assert sorted(set(receiver.registered)) == [f"x-{n}" for n in range(5)]
    for number in range(5):
        mine = [r.observed_at for r in receiver.got if r.sensor_id == f"x-{number}"]
        assert mine == sorted(mine) and len(mine) == 40
    assert replay.watermark.rows == 200
    assert json.loads((tmp_path / "resume").read_text())["rows"] == 200


async def test_receipts_name_every_accepted_item(tmp_path: Path) -> None:
    receiver = Receiver()
    await replayed(receiver, tmp_path)
    lines = [json.loads(line) for line in (tmp_path / "receipts").read_text().splitlines()]
    noted = {tuple(item) for line in lines for item in line["items"]}
    assert len(noted) == 200
    assert noted == {(r.sensor_id, r.metric, r.observed_at.isoformat()) for r in receiver.got}


async def test_a_sensor_that_not_every_gateway_knows_yet_is_sent_again(tmp_path: Path) -> None:
    receiver = Receiver(unknown=1)
    replay = await replayed(receiver, tmp_path, count=7)
    assert replay.outcome.accepted == len(receiver.got) == 7
    assert not replay.outcome.rejected


async def test_a_hopeless_answer_ends_the_replay(tmp_path: Path) -> None:
    receiver = Receiver([Misconfigured("the key is not accepted")])
    with pytest.raises(Misconfigured, match="key"):
        await replayed(receiver, tmp_path)


async def test_a_stopped_replay_resumes_without_a_gap(tmp_path: Path) -> None:
    stop = asyncio.Event()
    receiver = Receiver()

    class Stopping(Receiver):
        async def send(self, batch: Sequence[Reading]) -> Answer:
            if len(self.got) > 60:
                stop.set()
                raise Unavailable("stopping")
            return await super().send(batch)

    first = Stopping()
    with pytest.raises(Stopped):
        await replayed(first, tmp_path, stop=stop)
    done = ResumeFile(tmp_path / "resume", Path("f.csv")).load()
    assert 0 < done < 200
    table, tally = Table(MAPPING, ["at", "s", "v"]), Tally()
    rest = [r for some in table.readings(rows(200), tally, Span(), done) for r in some]
    receiver.registered = first.registered
    await receiver.send(rest)
    assert {r.observed_at for r in first.got + receiver.got} == {
        NOW + timedelta(seconds=n) for n in range(200)
    }


def test_a_resume_file_of_another_replay_is_refused(tmp_path: Path) -> None:
    ResumeFile(tmp_path / "r", Path("a.csv")).keep(5)
    assert ResumeFile(tmp_path / "r", Path("a.csv")).load() == 5
    with pytest.raises(Misconfigured, match=r"a\.csv"):
        ResumeFile(tmp_path / "r", Path("b.csv")).load()
    (tmp_path / "r").write_text("{}")
    with pytest.raises(Misconfigured, match="no resume file"):
        ResumeFile(tmp_path / "r", Path("a.csv")).load()


def test_the_watermark_waits_for_the_oldest_batch() -> None:
    mark = Watermark()
    mark.begin(1)
    mark.begin(1)
    mark.begin(4)
    mark.read(9)
    mark.end(1)
    mark.end(4)
    assert mark.rows == 0
    mark.end(1)
    assert mark.rows == 9


def test_a_paced_replay_keeps_the_files_pace_and_starts_anew_where_time_steps_back() -> None:
    pace = Pace(10)
    assert pace.wait_seconds(NOW, 100.0) == 0
    assert pace.wait_seconds(NOW + timedelta(seconds=50), 100.0) == 5
    assert pace.wait_seconds(NOW + timedelta(seconds=60), 105.0) == 1
    assert pace.wait_seconds(NOW, 106.0) == 0
    assert pace.wait_seconds(NOW + timedelta(seconds=10), 106.0) == 1
    assert Pace(None).wait_seconds(NOW + timedelta(days=1), 0.0) == 0


async def test_a_full_backlog_drops_its_oldest_and_counts() -> None:
    backlog = Backlog(limit=5)
    assert backlog.put([reading(n) for n in range(4)]) == 0
    assert backlog.put([reading(n) for n in range(4, 8)]) == 3
    assert [r.value for r in await backlog.take()] == [3, 4, 5, 6, 7]
    backlog.close()
    assert await backlog.take() == []


async def test_a_live_city_sends_all_of_its_past_in_order(sensors: list[Sensor]) -> None:
    receiver = Receiver([Unavailable("not up yet")])
    receiver.registered = [sensor.sensor_id for sensor in sensors]
    start = int(system_clock().timestamp()) - 600
    course = Course(start, start + 240, speed=10_000)
    city = LiveCity(World(sensors, SEED, Chosen(None)), receiver, course, system_clock, silent)
    await city.run(asyncio.Event())
    world = World(sensors, SEED, Chosen(None))
    assert receiver.got == [r for t in range(start, start + 240) for r in world.second(t)]
    assert city.counts.accepted == city.counts.made > BATCH


async def test_a_live_city_never_observes_the_future_and_stops_when_told(
    sensors: list[Sensor],
) -> None:
    stop = asyncio.Event()

    class Watching(Receiver):
        async def send(self, batch: Sequence[Reading]) -> Answer:
            assert all(r.observed_at <= system_clock() for r in batch)
            stop.set()
            return await super().send(batch)

    receiver = Watching()
    receiver.registered = [sensor.sensor_id for sensor in sensors]
    start = int(system_clock().timestamp()) - 2
    course = Course(start, None, speed=50)
    city = LiveCity(World(sensors, SEED, Chosen(None)), receiver, course, system_clock, silent)
    await asyncio.wait_for(city.run(stop), 10)
    assert city.counts.made


def test_a_course_starts_now_or_so_long_ago_that_it_ends_now() -> None:
    options = CityOptions(url="", key="")
    assert course_of(options, NOW) == Course(int(NOW.timestamp()), None, 1.0)
    fast = CityOptions(url="", key="", speed=60, run_for=3600)
    assert course_of(fast, NOW) == Course(int(NOW.timestamp()) - 3600, int(NOW.timestamp()), 60)
    later = CityOptions(url="", key="", start=NOW + timedelta(seconds=1))
    with pytest.raises(Misconfigured, match="not come yet"):
        course_of(later, NOW)


def answering(*answers: httpx.Response | Exception) -> HttpSender:
    queue = list(answers)

    def answer(_: httpx.Request) -> httpx.Response:
        found = queue.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    return HttpSender("http://city", "key", transport=httpx.MockTransport(answer))


async def test_answers_say_whether_to_try_again() -> None:
    refused = {"receipt": None, "accepted": 0, "rejected": [{"index": 0, "code": "too_old"}]}
    sender = answering(
        httpx.Response(503, headers={"Retry-After": "7"}),
        httpx.Response(429),
        httpx.ConnectError("refused"),
        httpx.Response(502),
        httpx.Response(422, json=refused),
        httpx.Response(401, json={"detail": "no such key"}),
        httpx.Response(413, json={"detail": "too large"}),
    )
    with pytest.raises(Overloaded) as busy:
        await sender.send([reading(1)])
    assert busy.value.retry_after_seconds == 7
    for kind in (Overloaded, Unavailable, Unavailable):
        with pytest.raises(kind):
            await sender.send([reading(1)])
    assert (await sender.send([reading(1)])).rejected[0].code == "too_old"
    with pytest.raises(Misconfigured, match="key is not accepted: no such key"):
        await sender.send([reading(1)])
    with pytest.raises(Misconfigured, match="413: too large"):
        await sender.send([reading(1)])
    await sender.close()


async def test_a_sensor_that_cannot_be_registered_is_named() -> None:
    answer = {"accepted": 0, "rejected": [{"index": 0, "code": "unknown_metric", "detail": "no x"}]}
    sender = answering(httpx.Response(200, json=answer))
    with pytest.raises(Misconfigured, match="x-1 cannot be registered: no x"):
        await sender.register([Registration("x-1", "X", ("x",))])
    await sender.close()
