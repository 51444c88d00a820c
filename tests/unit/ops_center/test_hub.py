"""The hub: what is shared, what waits, what is refused."""

import json

import pytest

from services.ops_center import hub as hub_module
from services.ops_center import seating
from services.ops_center.protocol import Refusal
from shared.clock import monotonic
from shared.contracts.live import ClientHello, Filter, NeighbourCity, Neighbours
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
        async def send(self, frame: str | bytes) -> None:
            assert isinstance(frame, str)
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
    assert wall.types()[2:] == ["delta", "incident", "pulse", "delta"] + 4 * ["incident"]
    assert wall.shown["road-1", "traffic.speed"][0] == 4.0
    assert [version for _, version in wall.events] == [1, 2, 3, 4, 5]


async def test_screens_and_filters_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seating, "MAX_FILTERS", 1)
    monkeypatch.setattr(seating, "MAX_CLIENTS", 2)
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


async def test_neighbours_warnings_are_told_whole_to_who_comes_and_to_who_is_there() -> None:
    world = World()
    wall = world.join("a")
    assert wall.frames[0]["neighbours"] is None
    city = NeighbourCity(440100, "广州", "Guangzhou", None, False)
    for told in (Neighbours([city], []), Neighbours([city], [])):  # the second says nothing new
        world.hub.tell(told)
    assert [frame["type"] for frame in wall.frames[2:]] == ["neighbours"]
    assert wall.frames[-1]["neighbours"]["cities"][0]["name_en"] == "Guangzhou"
    assert world.join("b").frames[0]["neighbours"] == wall.frames[-1]["neighbours"]
    world.hub.tell(None)
    assert wall.frames[-1] == {"type": "neighbours", "neighbours": None}


async def test_the_pulse_tells_time_lag_latency_and_screens() -> None:
    world = World()
    wall = world.join("a")
    world.clock.advance(2)
    now = world.clock.us
    world.hub.journey.applied(now - 500_000, now - 400_000, now - 30_000, now)
    world.hub.tick()
    world.hub.pulse()
    world.hub.painted(now // 1000)
    world.hub.pulse()
    painted = wall.frames.pop()["hops"]
    pulse = wall.frames[-1]
    hops = pulse.pop("hops")
    assert {hop: hops[hop]["p95"] for hop in hops} == {
        "accepted": 100, "logged": 370, "pictured": 30, "sent": 0, "painted": None, "shown": None,
    }  # fmt: skip
    assert (painted["painted"]["p50"], painted["shown"]["p50"]) == (0, 400)
    assert pulse == {
        "type": "pulse",
        "server_time": "2026-05-01T08:00:02.000Z",
        "lag_ms": 30,
        "latency_ms": {"p50": 400, "p95": 400, "p99": 400},
        "clients": 1,
        "dropped": 0,
        "behind_ms": 0,
        "conflated": 0,
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


async def test_a_slow_wall_is_told_how_far_it_was_behind() -> None:
    world = World()
    slow, quick = world.join("slow"), world.join("quick")
    slow.block()
    for number in range(3):
        world.post(reading(seconds=number, value=float(number)))
        world.follow()
        world.hub.tick()
    world.hub.pulse()
    slow.unblock()
    await settle()
    pulse = slow.last("pulse")
    assert pulse["conflated"] == 1  # the first was on its way, the other two came as one
    assert pulse["clients"] == 2
    assert quick.last("pulse")["conflated"] == 0
    assert slow.shown == quick.shown
    world.hub.pulse()
    assert slow.last("pulse")["conflated"] == 0


async def test_a_slow_wall_that_still_speaks_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    wall = world.join("a")
    wall.block()
    world.hub.pulse()
    client = world.clients["a"]
    client.heard -= hub_module.STUCK_SECONDS + 1
    client.heard = monotonic()  # it has pinged
    world.hub.pulse()
    assert not client.gone.done()
    client.heard -= hub_module.STUCK_SECONDS + 1
    world.hub.pulse()
    assert client.gone.done()
    await settle()


async def test_a_compressed_snapshot_is_made_once_for_all_and_says_the_same() -> None:
    world = World()
    world.post(reading(value=5.0))
    await world.rest()
    plain = world.join("plain")
    sent: list[bytes] = []

    class Packed(Wall):
        async def send(self, frame: str | bytes) -> None:
            if isinstance(frame, bytes):
                sent.append(frame)
            await super().send(frame)

    walls = [Packed(), Packed()]
    for wall in walls:
        world.hub.join(wall, ClientHello(accept=["br", "gzip"]))
    assert sent[0] is sent[1]
    assert [wall.shown for wall in walls] == [plain.shown] * 2


async def test_join_on_a_blocked_line_still_ends_up_right() -> None:
    world = World()
    wall = world.walls.setdefault("a", Wall())
    wall.block()
    world.clients["a"] = world.hub.join(Line(wall), ClientHello())
    world.post(reading(value=3.0))
    await world.rest()
    assert wall.types() == ["hello", "snapshot", "delta"]
    assert wall.shown["road-1", "traffic.speed"][0] == 3.0
