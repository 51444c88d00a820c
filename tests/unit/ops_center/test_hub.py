"""The hub: what is shared, what waits, what is refused."""

import json

import pytest

from services.ops_center import hub as hub_module
from services.ops_center.protocol import Refusal
from shared.contracts.live import ClientHello, Filter
from tests.unit.ops_center.wall import (
    SERIES,
    Line,
    Wall,
    incident,
    observed,
    reading,
    settle,
)
from tests.unit.ops_center.world import World


async def test_a_new_wall_gets_hello_and_the_whole_picture() -> None:
    world = World()
    wall = world.join("a")
    hello, snapshot = wall.frames
    assert hello["city"] == {"adcode": 441200, "name_zh": "肇庆市", "name_en": "Zhaoqing"}
    assert (hello["protocol"], hello["tick_ms"]) == (1, 250)
    assert hello["server_time"] == "2026-05-01T08:00:00.000Z"
    assert sorted(wall.series) == sorted(SERIES)
    assert {state for _, _, state in wall.shown.values()} == {"never"}
    assert snapshot["metrics"][0]["unit"] == "km/h"
    assert [area["area_id"] for area in snapshot["areas"]] == ["441200", "441202", "441203"]


async def test_a_reading_becomes_one_delta_that_all_walls_share() -> None:
    world = World()
    sent: list[str] = []

    class Spy(Wall):
        async def send(self, frame: str) -> None:
            sent.append(frame)

    for _ in range(3):
        world.hub.join(Spy(), ClientHello())
    sent.clear()
    world.post(reading(seconds=1, value=42.5))
    world.follow()
    world.hub.tick()
    assert len(sent) == 3
    assert sent[0] is sent[1] is sent[2]
    frame = json.loads(sent[0])
    assert (frame["value"], frame["state"]) == ([42.5], ["normal"])
    assert frame["observed_at"] == [observed(1)]


async def test_a_quiet_tick_sends_nothing() -> None:
    world = World()
    wall = world.join("a")
    world.hub.tick()
    assert wall.types() == ["hello", "snapshot"]


async def test_the_alarm_comes_before_its_incident() -> None:
    world = World()
    wall = world.join("a")
    world.step(1, incident(1))
    world.relay()
    world.follow()
    world.hub.tick()
    assert wall.types()[2:] == ["delta", "incident"]
    assert wall.shown["gauge-1", "water.level"][2] == "p2"
    assert wall.frames[-1]["event"]["data"]["title"] == "事件 1"


async def test_a_slow_wall_gets_the_newest_value_and_every_incident() -> None:
    world = World()
    wall = world.join("a")
    wall.block()
    for number in range(5):
        world.post(reading(seconds=number, value=float(number)))
        world.step(1, incident(1, number + 1))
        world.relay()
        world.follow()
        world.hub.tick()
    world.hub.pulse()
    wall.unblock()
    await settle()
    assert wall.types()[2:] == ["delta", "incident", "delta"] + 4 * ["incident"]
    assert wall.shown["road-1", "traffic.speed"][0] == 4.0
    assert [version for _, version in wall.events] == [1, 2, 3, 4, 5]


async def test_a_filter_narrows_series_and_incidents() -> None:
    world = World(filter=Filter(domains=["traffic"], areas=["441203"]))
    wall = world.join("a")
    assert wall.series == [("both-1", "traffic.speed"), ("road-2", "traffic.speed")]
    world.step(1, incident(1))  # water, in another district
    world.step(2, incident(2, area_id="441203", metric="traffic.speed", subjects=("both-1",)))
    world.step(3, incident(3, area_id=None, metric=None))  # concerns everybody
    world.post(reading("road-1"))
    await world.rest()
    assert len(wall.events) == 2
    assert wall.shown["both-1", "traffic.speed"][2] == "p2"
    world.leave("a")
    world.filter = None
    world.join("a")
    assert wall.frames[-2] == {"type": "resync", "reason": "filter"}


async def test_a_filter_on_an_unknown_area_is_refused() -> None:
    world = World(filter=Filter(areas=["atlantis"]))
    with pytest.raises(Refusal, match="unknown area 'atlantis'"):
        world.join("a")


async def test_screens_and_filters_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "MAX_FILTERS", 1)
    monkeypatch.setattr(hub_module, "MAX_CLIENTS", 2)
    world = World()
    world.join("a")
    world.filter = Filter(domains=["traffic"])
    with pytest.raises(Refusal, match="too many different filters"):
        world.join("b")
    world.filter = None
    world.join("b")
    with pytest.raises(Refusal, match="too many screens"):
        world.join("c")
    world.leave("a")
    world.join("c")


async def test_the_pulse_tells_time_lag_latency_and_screens() -> None:
    world = World()
    wall = world.join("a")
    world.clock.advance(2)
    world.hub.freshness.applied(world.clock.us - 400_000, world.clock.us - 30_000, world.clock.us)
    world.hub.tick()
    world.hub.pulse()
    pulse = wall.frames[-1]
    assert pulse == {
        "type": "pulse",
        "server_time": "2026-05-01T08:00:02.000Z",
        "lag_ms": 30,
        "latency_ms": {"p50": 400, "p95": 400, "p99": 400},
        "clients": 1,
        "dropped": 0,
    }
    world.hub.pulse()
    assert wall.frames[-1]["latency_ms"] == {"p50": None, "p95": None, "p99": None}
    world.hub.answer_ping(world.clients["a"])
    assert wall.frames[-1] == wall.frames[-2]


async def test_a_broken_socket_is_forgotten() -> None:
    world = World()
    wall = world.join("a")
    wall.broken = True
    world.post(reading())
    world.follow()
    world.hub.tick()
    await settle()
    assert world.clients["a"].gone.done()
    world.hub.pulse()
    other = world.join("b")
    world.hub.pulse()
    assert other.frames[-1]["clients"] == 1


async def test_a_stuck_screen_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    wall = world.join("a")
    wall.block()
    world.hub.pulse()
    monkeypatch.setattr(hub_module, "STUCK_SECONDS", -1.0)
    world.hub.pulse()
    assert world.clients["a"].gone.result() == (1013, "the screen takes no frames")
    await settle()


async def test_join_on_a_blocked_line_still_ends_up_right() -> None:
    world = World()
    wall = world.walls.setdefault("a", Wall())
    wall.block()
    world.clients["a"] = world.hub.join(Line(wall), ClientHello())
    world.post(reading(value=3.0))
    await world.rest()
    assert wall.types() == ["hello", "snapshot", "delta"]
    assert wall.shown["road-1", "traffic.speed"][0] == 3.0
