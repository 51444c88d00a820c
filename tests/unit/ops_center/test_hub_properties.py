"""Whatever happens in whatever order: a wall ends up showing what a fresh snapshot shows, and has
got every incident event."""

import asyncio
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.ops_center.stage import SNAPSHOT_TICKS
from shared.contracts.incident import AlertState, IncidentState
from shared.contracts.live import Filter
from shared.web.identity import Restrictions
from tests.unit.ops_center.wall import SERIES, Wall, incident, reading, settle
from tests.unit.ops_center.world import World

WALLS = ("a", "b")
STATES = [IncidentState.OPEN, IncidentState.HANDLING, IncidentState.CLOSED]

posts = st.tuples(
    st.just("post"),
    st.sampled_from(SERIES),
    st.integers(-200, 200),
    st.sampled_from(["good", "bad"]),
    st.booleans(),
)
steps = st.tuples(
    st.just("step"), st.integers(0, 2), st.sampled_from(STATES), st.sampled_from(list(AlertState))
)
alone = st.tuples(st.sampled_from(["follow", "relay", "tick", "pulse", "settle", "pump", "pump"]))
visits = st.tuples(
    st.sampled_from(["join", "join", "leave", "block", "trickle", "unblock"]),
    st.sampled_from(WALLS),
)
advances = st.tuples(st.just("advance"), st.sampled_from([1, 100, 200, 1000]))
wishes = st.tuples(
    st.just("wish"),
    st.sampled_from(WALLS),
    st.sampled_from(
        [None, Filter(domains=["traffic"]), Filter(bbox=(112.35, 22.9, 112.55, 23.15))]
    ),
    st.sampled_from([None, Restrictions(areas=frozenset({"441202"}))]),
)
restagings = st.just(("restage",))
restarts = st.tuples(st.just("restart"), st.floats(0, 1))
acts = st.sampled_from(
    [posts] * 4
    + [steps] * 3
    + [alone] * 6
    + [visits] * 5
    + [advances] * 2
    + [restarts, wishes, restagings]
).flatmap(lambda kind: kind)
filters = st.sampled_from(
    [None, Filter(domains=["traffic"]), Filter(areas=["441202"]), Filter(areas=["441200"])]
)


async def play(world: World, script: list[tuple[Any, ...]]) -> None:
    for act, *given_ in script:
        await perform(world, act, given_)
    await world.rest()


async def perform(world: World, act: str, given_: list[Any]) -> None:
    match act:
        case "post":
            (sensor, metric), seconds, quality, replace = given_
            # The value is decided by the key, as it is once a conflict is set aside.
            value = float(seconds % 7) + (10 * replace)
            world.post(reading(sensor, metric, seconds, value, quality=quality, replace=replace))
        case "step":
            number, state, alert = given_
            known = world.incidents.get(number)
            version = 1 if known is None else known.version + 1
            subject, metric = SERIES[number]
            more = {"state": state, "alert_state": alert, "subjects": (subject,), "metric": metric}
            world.step(number, incident(number, version, **more))
        case "follow" | "relay":
            getattr(world, act)()
        case "tick":
            world.hub.tick()
        case "pulse":
            world.hub.pulse()
        case "settle":
            await settle()
        case "pump":
            world.relay()
            world.follow()
            world.hub.tick()
            await settle()
        case "advance":
            world.clock.advance(given_[0])
        case "wish":
            await change_wish(world, *given_)
        case "restage":
            world.restage()
        case "restart":
            world.start(tuple(round(len(one) * given_[0]) for one in world.readings))
        case _:
            visit(world, act, given_[0])


async def change_wish(
    world: World, name: str, wanted: Filter | None, rights: Restrictions | None
) -> None:
    """What a wall sees changes and changes back: in between anything may be under way."""
    client = world.clients.get(name)
    if client is None:
        return
    world.hub.refilter(client, wanted)
    world.hub.confine(client, rights)
    await settle()
    world.hub.confine(client, None)
    world.hub.refilter(client, world.filter)


def visit(world: World, act: str, name: str) -> None:
    match act:
        case "join":
            world.leave(name)
            if name in world.walls:
                world.walls[name].unblock()
            world.join(name)
        case "leave":
            world.leave(name)
        case "block" if name in world.clients:
            world.walls[name].block()
        case "trickle" if name in world.clients:
            world.walls[name].room = 1
            world.walls[name].open_gate.set()
        case "unblock" if name in world.clients:
            world.walls[name].unblock()


async def fresh(world: World, name: str) -> Wall:
    wall = world.join(name)
    await settle()
    return wall


async def check(script: list[tuple[Any, ...]], wanted: Filter | None) -> None:
    world = World(filter=wanted)
    await play(world, script)
    cached = await fresh(world, "cached")  # a snapshot made before, and what came after it
    for _ in range(SNAPSHOT_TICKS):
        world.hub.tick()
    snapshot = await fresh(world, "fresh")
    assert snapshot.types() == ["hello", "snapshot"]
    assert cached.shown == snapshot.shown
    for name in WALLS:
        if name not in world.clients:
            continue
        wall = world.walls[name]
        assert wall.types()[-1] != "resync"
        assert wall.shown == snapshot.shown
        assert wall.open_incidents() == snapshot.open_incidents()
        if wanted is None:
            assert not world.missed(wall)
    for name in WALLS:
        if name in world.walls:  # also those that were away until now
            visit(world, "join", name)
            await settle()
            assert world.walls[name].shown == snapshot.shown
            assert world.walls[name].open_incidents() == snapshot.open_incidents()


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(acts, min_size=10, max_size=60), filters)
def test_every_wall_ends_up_with_what_a_fresh_snapshot_shows(
    script: list[tuple[Any, ...]], wanted: Filter | None
) -> None:
    asyncio.run(check([("join", "a"), *script], wanted))
