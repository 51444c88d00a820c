"""Replays on real parts: the alert engine's storm, PostgreSQL, uvicorn, a WebSocket client."""

import json
from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

import pytest
import websockets
from sqlalchemy import text

from services.ops_center.replay import portions, routes_replay
from shared.clock import system_clock, to_micros
from shared.contracts.reading import Reading
from tests.integration.ops_center.conftest import Centre, Screen
from tests.integration.ops_center.storm import (
    ACKNOWLEDGED,
    BEGIN,
    END,
    SERIES,
    Step,
    at,
    history_at,
    record,
    steps,
)
from tests.unit.ops_center.wall import Wall

STORM = {"from": BEGIN.isoformat(), "to": END.isoformat(), "speed": 60}


async def watch(screen: Screen, wall: Wall) -> dict[str, Any]:
    """Take frames until the replay has ended; its last pulse."""
    while True:
        pulse = await screen.next("pulse")
        for frame in screen.frames:
            wall.take(frame)
        screen.frames.clear()
        if pulse["replay"]["ended"]:
            return pulse


def by_incident(found: list[tuple[str, int]]) -> dict[str, list[int]]:
    grouped: dict[str, list[int]] = defaultdict(list)
    for incident, version in found:
        grouped[incident].append(version)
    return dict(grouped)


def milliseconds(moment: datetime) -> int:
    return to_micros(moment) // 1000


async def recorded(centre: Centre) -> list[Step]:
    """What the rules did in the storm."""
    return [one for one in await steps(centre) if one.type != ACKNOWLEDGED]


@pytest.mark.parametrize("page", [5_000, 7])
async def test_a_storm_replayed_at_sixty_ends_as_history_and_with_the_same_steps(
    centre: Centre, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    monkeypatch.setattr(portions, "READINGS_AT_ONCE", page)
    await record(centre)
    wall = Wall()
    async with centre.replay(**STORM) as screen:
        pulse = await watch(screen, wall)
    assert pulse["server_time"].startswith(END.isoformat()[:19])
    expected = await recorded(centre)
    assert {one.type for one in expected} >= {"incident.opened", "incident.cleared"}
    assert by_incident(wall.events) == by_incident(
        [(one.incident_id, one.version) for one in expected]
    )
    types = {
        (frame["event"]["data"]["id"], frame["event"]["data"]["version"]): frame["event"]["type"]
        for frame in wall.frames
        if frame["type"] == "incident"
    }
    assert types == {(one.incident_id, one.version): one.type for one in expected}
    assert {key: shown[:2] for key, shown in wall.shown.items()} == await history_at(centre, END)
    assert wall.shown["both-1", "water.level"][2] == "p1"
    assert wall.shown["gauge-1", "water.level"][2] == "normal"


async def test_steps_come_at_their_event_time_and_in_order(centre: Centre) -> None:
    await record(centre)
    wall = Wall()
    async with centre.replay(**STORM) as screen:
        await watch(screen, wall)
    now, seen = "", ""
    for frame in wall.frames:
        if frame["type"] in ("hello", "pulse"):
            now = frame["server_time"]
        if frame["type"] == "incident":
            moment = datetime.fromisoformat(frame["event"]["timestamp"])
            assert frame["event"]["timestamp"] >= seen
            assert moment > datetime.fromisoformat(now)
            assert moment <= datetime.fromisoformat(frame["resume"])
            seen = frame["event"]["timestamp"]
            data = frame["event"]["data"]
            assert datetime.fromisoformat(data["opened_at"]) <= moment


async def test_it_begins_with_the_incidents_of_that_time(centre: Centre) -> None:
    await record(centre)
    wall = Wall()
    async with centre.replay(**STORM | {"from": at(110).isoformat(), "playing": False}) as screen:
        await screen.next("hello")
        wall.take(await screen.next("snapshot"))
    level = [one for one in wall.incidents.values() if one["metric"] == "water.level"]
    assert {one["state"] for one in wall.incidents.values()} == {"open"}
    assert {subject for one in level for subject in one["subjects"]} == {"gauge-1", "both-1"}
    assert wall.shown["gauge-1", "water.level"][2] == "p1"


async def test_no_frame_of_the_past_reaches_a_live_screen_nor_the_other_way(
    centre: Centre,
) -> None:
    await record(centre)
    past, live = Wall(), Wall()
    async with centre.screen() as screen, centre.replay(**STORM) as replay:
        live.take(await screen.next("hello"))
        await screen.next("snapshot")
        await replay.next("snapshot")
        await centre.post(Reading("road-1", "traffic.speed", to_micros(system_clock()), 33.125))
        while 33.125 not in (await screen.next("delta"))["value"]:
            pass  # what the storm's own readings changed
        screen.frames.clear()
        await watch(replay, past)
        await screen.socket.send('{"type":"ping"}')
        await screen.next("pulse")
    end = milliseconds(END)
    moments = [at for f in past.frames if f["type"] == "delta" for at in f["observed_at"]]
    assert moments and max(moments) <= end
    assert all("replay" in f for f in past.frames if f["type"] in ("hello", "pulse"))
    assert all("replay" not in frame for frame in [*live.frames, *screen.frames])
    assert not [f for f in screen.frames if f["type"] == "incident" or f.get("series")]


async def test_pause_step_seek_and_speed(centre: Centre) -> None:
    before = system_clock() - timedelta(seconds=30)
    await record(centre)
    wall = Wall()
    async with centre.replay(**STORM | {"playing": False, "speed": 1}) as screen:
        pulse = await screen.next("pulse")
        assert (pulse["replay"]["playing"], pulse["replay"]["ended"]) == (False, False)
        await screen.socket.send('{"type":"steer","step":60}')
        delta = await screen.next("delta")
        assert len(delta["series"]) == len(SERIES)
        pulse = await screen.next("pulse")
        assert datetime.fromisoformat(pulse["server_time"]) == BEGIN + timedelta(seconds=60)
        now = (system_clock() + timedelta(seconds=1)).isoformat()
        await screen.socket.send(json.dumps({"type": "steer", "at": BEGIN.isoformat()}))
        assert (await screen.next("resync"))["reason"] == "moved"
        await screen.next("snapshot")
        await screen.socket.send('{"type":"steer","playing":true,"speed":60}')
        await watch(screen, wall)
        assert len(wall.events) == len(await recorded(centre))
    latest = {"from": before.isoformat(), "to": now, "speed": 60}
    async with centre.replay(**latest) as screen:
        told = await screen.next("incident")
        assert (told["event"]["type"], told["event"]["actor"]) == (ACKNOWLEDGED, "li")


async def refused(centre: Centre, *frames: dict[str, Any]) -> tuple[int, str]:
    async with centre.connect_replay() as socket:
        for frame in frames:
            await socket.send(json.dumps(frame))
        with pytest.raises(websockets.ConnectionClosed) as closed:
            while True:
                await socket.recv()
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code, closed.value.rcvd.reason


HELLO = {"type": "hello", "from": "2026-05-01T08:00:00+08:00"}


@pytest.mark.parametrize(
    ("frames", "why"),
    [
        ([{"type": "ping"}], "hello"),
        ([{"type": "hello"}], "from"),
        ([HELLO | {"from": "yesterday"}], "RFC 3339"),
        ([HELLO | {"from": "2999-05-01T08:00:00Z"}], "past"),
        ([HELLO | {"to": "2026-05-01T07:00:00+08:00"}], "before 'to'"),
        ([HELLO | {"speed": 7}], "speed"),
        ([HELLO | {"filter": {"areas": ["atlantis"]}}], "atlantis"),
        ([HELLO, HELLO], "once"),
        ([HELLO, {"type": "steer", "step": 100_000}], "step"),
        ([HELLO, {"type": "dance"}], "dance"),
    ],
)
async def test_what_cannot_be_played_is_refused_with_a_reason(
    centre: Centre, frames: list[dict[str, Any]], why: str
) -> None:
    code, reason = await refused(centre, *frames)
    assert code == 4400
    assert why in reason


async def test_strangers_are_turned_away(centre: Centre) -> None:
    async with centre.connect_replay("?token=wrong") as socket:
        with pytest.raises(websockets.ConnectionClosed) as closed:
            await socket.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4401


async def test_one_more_than_there_may_be_is_refused_until_one_ends(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes_replay, "MOST_REPLAYS", 1)
    calm = {"type": "hello", "from": BEGIN.isoformat(), "playing": False}
    async with centre.replay(**calm) as screen:
        await screen.next("snapshot")
        code, reason = await refused(centre, calm)
        assert (code, "1 replays are under way" in reason) == (1013, True)
    async with centre.replay(**calm) as screen:
        await screen.next("snapshot")


async def test_what_is_no_longer_kept_is_said(centre: Centre) -> None:
    async with centre.engine.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO ingest.retention_floors (metric, width_seconds, floor)"
                " SELECT metric, 0, :floor FROM ingest.metrics"
            ),
            {"floor": at(0)},
        )
    code, reason = await refused(centre, {"type": "hello", "from": BEGIN.isoformat()})
    assert (code, "kept from" in reason) == (4410, True)
