"""What a screen sees: its filter, within its rights."""

import pytest

from services.ops_center import seating
from services.ops_center.protocol import Refusal
from services.ops_center.registry import Sensor
from shared.contracts.live import ClientHello, Filter
from shared.web.identity import Restrictions
from tests.unit.ops_center.wall import SENSORS, SERIES, Wall, incident, reading, registry
from tests.unit.ops_center.world import World


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


async def test_another_filter_is_another_snapshot() -> None:
    world = World()
    wall, other = world.join("a"), world.join("b")
    client = world.clients["a"]
    world.hub.refilter(client, Filter(domains=["traffic"], bbox=(112.45, 23.05, 112.75, 23.35)))
    assert wall.types()[-2:] == ["resync", "snapshot"]
    assert wall.frames[-2]["reason"] == "filter"
    assert wall.series == [("both-1", "traffic.speed"), ("road-2", "traffic.speed")]
    world.hub.refilter(client, Filter(["traffic"], bbox=(112.451, 23.051, 112.749, 23.349)))
    assert wall.types().count("resync") == 1  # the same to a hundredth of a degree
    world.hub.confine(client, Restrictions(areas=frozenset({"441202"})))
    assert wall.frames[-2]["reason"] == "rights"
    assert wall.series == []
    with pytest.raises(Refusal, match="unknown area"):
        world.hub.refilter(client, Filter(areas=["atlantis"]))
    assert other.types() == ["hello", "snapshot"]


async def test_rights_confine_whatever_is_asked_for() -> None:
    world = World()
    rights = Restrictions(frozenset({"traffic"}), frozenset({"441203"}))
    asked = [None, Filter(["environment", "traffic"], ["441200"]), Filter(["traffic"], ["441203"])]
    walls = [Wall() for _ in asked]
    for wall, wanted in zip(walls, asked, strict=True):
        world.hub.join(wall, ClientHello(filter=wanted), rights)
        assert wall.series == [("both-1", "traffic.speed"), ("road-2", "traffic.speed")]
    assert walls[0].resume == walls[2].resume  # the same sight: the same frames
    nothing = Wall()
    world.hub.join(nothing, ClientHello(filter=Filter(["utilities"])), rights)
    assert nothing.series == []


@pytest.mark.parametrize("place", ["t-east", "842f3", "441202"])
async def test_a_key_for_a_town_or_a_cell_sees_what_stands_there(place: str) -> None:
    gauge = Sensor("gauge-1", "西江", 112.6, 23.2, "441202", ("water.level",), ("t-east", "842f3"))
    others = [one for one in SENSORS if one.sensor_id != "gauge-1"]
    world = World(registry=registry([gauge, *others]))
    wall = Wall()
    world.hub.join(wall, ClientHello(), Restrictions(areas=frozenset({place})))
    assert ("gauge-1", "water.level") in wall.series
    assert ("road-2", "traffic.speed") not in wall.series
    world.step(1, incident(1))
    world.step(2, incident(2, subjects=("road-2",), metric="traffic.speed", area_id="441203"))
    await world.rest()
    assert len(wall.events) == 1


async def test_with_too_many_viewports_a_screen_gets_the_whole_map(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(seating, "MAX_FILTERS", 2)
    world = World()
    world.join("whole")
    walls = [Wall() for _ in range(3)]
    for number, wall in enumerate(walls):
        box = (112.0 + number, 23.0, 112.45 + number, 24.0)
        world.hub.join(wall, ClientHello(filter=Filter(bbox=box)))
    assert [len(wall.series) for wall in walls] == [1, len(SERIES), len(SERIES)]
