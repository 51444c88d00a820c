"""What bounds a replay: portions one ahead, a slow screen that slows it, commands that add up."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ops_center.picture import Latest
from services.ops_center.protocol import Refusal, Sight
from services.ops_center.registry import SeriesKey
from services.ops_center.replay import player, portions
from services.ops_center.replay.player import Player
from services.ops_center.replay.portions import Due, Place, Portions
from services.ops_center.replay.reel import Reel
from services.ops_center.replay.requests import Change, Wish, change_of, wish_of
from shared.clock import to_micros
from shared.contracts.live import City, Filter
from shared.contracts.reading import Reading
from shared.pause import eventually
from tests.unit.ops_center.wall import START, Wall, reading, registry

HOUR = START + timedelta(hours=1)
CITY = City(441200, "肇庆市", "Zhaoqing")


class Shelf:
    """A past of readings and steps; counts what it is asked for."""

    def __init__(self, readings: Sequence[Reading], steps: Sequence[Due] = ()) -> None:
        self._readings = sorted(readings, key=lambda one: (one.observed_us, one.sensor_id))
        self._steps = steps
        self.asked: list[datetime] = []

    async def readings(self, after: Place, until: datetime, limit: int) -> Sequence[Reading]:
        self.asked.append(until)
        place = (to_micros(after.at), after.sensor_id, after.metric)
        found = [
            one for one in self._readings
            if (one.observed_us, one.sensor_id, one.metric) > place
            and one.observed_us <= to_micros(until)
        ]  # fmt: skip
        return found[:limit]

    async def steps(self, after: datetime, until: datetime) -> Sequence[Due]:
        return [step for step in self._steps if after < step.shown_at <= until]

    async def kept_from(self) -> datetime | None:
        return None

    async def latest(self, at: datetime) -> Mapping[SeriesKey, Latest]:
        return {}

    async def open_incidents(self, at: datetime) -> list[bytes]:
        return []

    async def events(self, due: Sequence[Due]) -> list[bytes]:
        raise AssertionError("there are none")


@given(
    seconds=st.lists(st.integers(0, 120), max_size=60),
    stops=st.lists(st.integers(1, 40), min_size=1, max_size=8),
    page=st.integers(1, 7),
)
def test_every_reading_comes_once_in_its_portion_whatever_their_size(
    seconds: list[int], stops: list[int], page: int
) -> None:
    rows = [reading(f"s-{number}", seconds=second) for number, second in enumerate(seconds)]
    due = [Due(uuid4(), START + timedelta(seconds=second), START) for second in sorted(seconds)]

    async def played() -> None:
        before = portions.READINGS_AT_ONCE
        portions.READINGS_AT_ONCE = page
        try:
            end = START + timedelta(seconds=130)
            supply = Portions(Shelf(rows, due), START - timedelta(seconds=1), end, 1)
            seen: list[Reading] = []
            steps: list[Due] = []
            moment = START
            for stop in [*stops, 130]:
                moment = min(end, moment + timedelta(seconds=stop))
                while True:
                    some, told = await supply.until(moment)
                    assert all(one.observed_us <= to_micros(moment) for one in some)
                    seen += some
                    steps += told
                    if supply.complete(moment):
                        break
                assert {one.sensor_id for one in seen} == {
                    one.sensor_id for one in rows if one.observed_us <= to_micros(moment)
                }
            await supply.close()
            assert len(seen) == len(rows)
            assert steps == due
        finally:
            portions.READINGS_AT_ONCE = before

    asyncio.run(played())


def a_player(shelf: Shelf, wall: Wall, speed: Any = 60) -> Player:
    wish = Wish(START, HOUR, speed, True, Filter())
    return Player(Reel(shelf, registry(), Sight(), HOUR), wall, wish, CITY)


async def test_a_screen_that_takes_nothing_stops_the_replay_and_what_it_fetches(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(player, "TICK_SECONDS", 0.01)
    shelf, wall = Shelf([reading(seconds=second) for second in range(0, 3600, 5)]), Wall(room=12)
    running = asyncio.create_task(a_player(shelf, wall).run())

    async def blocked() -> bool:
        return not wall.open_gate.is_set()

    async def went_on() -> bool:
        return len(wall.frames) > 100

    assert await eventually(blocked, 5)
    asked, frames = len(shelf.asked), len(wall.frames)
    assert not await eventually(went_on, 0.3)
    assert len(wall.frames) == frames
    assert len(shelf.asked) <= asked + 1
    wall.unblock()
    assert await eventually(went_on, 5)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_one_that_never_takes_anything_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(player, "STUCK_SECONDS", 0.05)
    wall = Wall()
    wall.block()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(60):
            await a_player(Shelf([]), wall).run()


async def test_pings_do_not_make_time_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(player, "TICK_SECONDS", 30.0)
    wall = Wall()
    playing = a_player(Shelf([]), wall)
    running = asyncio.create_task(playing.run())

    async def pulses() -> bool:
        playing.steer(None)
        return wall.types().count("pulse") > 10

    assert await eventually(pulses, 5)
    assert {f["server_time"] for f in wall.frames if f["type"] == "pulse"} == {
        "2026-05-01T08:00:00.000Z"
    }
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def test_commands_that_nobody_has_acted_upon_add_up() -> None:
    minute = timedelta(minutes=1)
    first = Change(playing=False, step=minute)
    assert first.then(Change(speed=10)) == Change(playing=False, speed=10, step=minute)
    assert first.then(Change(at=START)) == Change(playing=False, at=START)
    assert Change(at=START).then(Change(at=HOUR, playing=True)) == Change(playing=True, at=HOUR)


def test_a_replay_ends_now_at_the_latest() -> None:
    said = {"type": "hello", "from": "2026-05-01T07:00:00Z", "to": "2999-01-01T00:00:00Z"}
    wish = wish_of(msgspec.json.encode(said).decode(), START)
    assert (wish.start, wish.end) == (START - timedelta(hours=1), START)


@pytest.mark.parametrize(
    "text", ['{"type":"steer","step":0}', '{"type":"steer","step":-1}', "{", b"{}", None]
)
def test_nonsense_is_refused(text: str | bytes | None) -> None:
    with pytest.raises(Refusal):
        change_of(text)
