"""Coming back: what is resumed, and what is said when it cannot be."""

import pytest

from services.ops_center import client as client_module
from services.ops_center.protocol import ResyncReason, decode_token, encode_token
from shared.contracts.live import Filter
from tests.unit.ops_center.wall import (
    SENSORS,
    incident,
    reading,
    registry,
    settle,
)
from tests.unit.ops_center.world import World


@pytest.mark.parametrize("taken", range(6))
async def test_a_slow_wall_resumes_from_whatever_frame_it_got_last(
    taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "EVENTS_AT_ONCE", 2)
    world = World()
    wall = world.join("a")
    wall.block()
    for number in range(3):
        world.step(number, incident(number))
        world.post(reading("road-2", seconds=number, value=float(number)))
        world.relay()
        world.follow()
        world.hub.tick()
    for _ in range(taken):
        wall.room = 1
        wall.open_gate.set()
        await settle()
    world.leave("a")
    wall.unblock()
    world.join("a")
    assert "resync" not in wall.types()
    assert not world.missed(wall)
    assert wall.shown["gauge-1", "water.level"][2] == "p2"
    assert wall.shown["road-2", "traffic.speed"][0] == 2.0


async def test_too_many_waiting_incidents_end_in_a_resync(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "WAITING_EVENTS", 3)
    world = World()
    wall = world.join("a")
    wall.block()
    for version in range(1, 8):
        world.step(1, incident(1, version))
        world.relay()
        world.follow()
        world.hub.tick()
    wall.unblock()
    await settle()
    assert {"type": "resync", "reason": "overflow"} in wall.frames
    assert wall.types()[-1] in ("snapshot", "incident")
    assert list(wall.open_incidents().values()) == [7]


async def test_a_wall_that_comes_back_gets_only_what_it_missed() -> None:
    world = World()
    wall = world.join("a")
    world.leave("a")
    world.post(reading(seconds=1, value=7.0))
    await world.rest()
    world.join("a")
    assert wall.types() == ["hello", "snapshot", "hello", "delta"]
    assert wall.frames[-1]["value"] == [7.0]
    world.leave("a")
    world.join("a")
    assert wall.frames[-1]["series"] == []  # nothing missed: an empty delta says so


async def test_a_token_from_before_a_restart_is_resumed() -> None:
    world = World()
    wall = world.join("a")
    world.post(reading(seconds=1, value=7.0))
    await world.rest()
    world.start(stored=(1, 0))
    world.post(reading(seconds=2, value=8.0))
    await world.rest()
    world.join("a")
    assert "resync" not in wall.types()
    assert wall.shown["road-1", "traffic.speed"][0] == 8.0


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"incarnation": "log-2"}, "incarnation"),
        ({"registry": "other"}, "registry"),
        ({"filter": "other"}, "filter"),
        ({"readings": (0, 0, 0)}, "incarnation"),
        ({"readings": (9, 9)}, "ahead"),
        ({"incidents": (9,)}, "ahead"),
        ({"readings": (0, 0)}, "too_old"),
        ({"incidents": (0,)}, "too_old"),
        (None, "bad_token"),
    ],
)
async def test_what_cannot_be_resumed_is_said(
    change: dict[str, object] | None, reason: str
) -> None:
    world = World(rewind=0)
    for number in range(4):
        world.post(reading(seconds=number))
        world.post(reading("gauge-1", "water.level", number))
        world.step(1, incident(1, number + 1))
    await world.rest()
    world.start(stored=(3, 3))
    wall = world.join("a")
    token = decode_token(wall.resume or "")
    assert token is not None
    world.leave("a")
    values = {name: getattr(token, name) for name in token.__struct_fields__}
    wall.resume = "rubbish" if change is None else encode_token(type(token)(**(values | change)))
    world.join("a")
    assert wall.types()[-3:] == ["hello", "resync", "snapshot"]
    assert wall.frames[-2]["reason"] == reason


async def test_a_changed_registry_gives_every_wall_a_new_snapshot() -> None:
    world = World()
    wall = world.join("a")
    world.post(reading(seconds=1, value=5.0))
    await world.rest()
    later = world.picture.with_registry(registry(SENSORS[:2]), {})
    world.hub.show(later, ResyncReason.REGISTRY)
    await settle()
    assert wall.types()[-2:] == ["resync", "snapshot"]
    assert wall.series == [("road-1", "traffic.speed"), ("road-2", "traffic.speed")]
    assert wall.shown["road-1", "traffic.speed"][0] == 5.0


async def test_a_filtered_wall_is_given_new_tokens_though_nothing_it_shows_changes() -> None:
    world = World(filter=Filter(domains=["environment"]))
    wall = world.join("a")
    world.hub.tick()
    world.hub.pulse()
    world.post(reading("road-1"))
    await world.rest()
    before = wall.resume
    world.hub.pulse()
    assert wall.frames[-1]["series"] == []
    assert wall.resume != before
