"""The live socket on real parts: PostgreSQL, the embedded log, uvicorn, a WebSocket client."""

import asyncio
import json
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
import websockets
from sqlalchemy import insert, text, update

from services.ops_center import door
from shared.clock import system_clock, to_micros
from shared.contracts.incident import AlertState, IncidentState
from shared.contracts.reading import Reading
from shared.contracts.topics import INCIDENTS, READINGS
from shared.eventlog.log import Outgoing
from shared.store.tables import api_keys, grants
from shared.web.authenticator import token_hash
from tests.integration.ops_center.conftest import Centre, Screen
from tests.unit.ops_center.wall import incident


def now_us() -> int:
    return to_micros(system_clock())


def speed(value: float, age: float = 0, sensor: str = "road-1", **more: Any) -> Reading:
    return Reading(sensor, "traffic.speed", now_us() - round(age * 1e6), value, **more)


async def series(screen: Screen) -> dict[tuple[str, str], int]:
    snapshot = next(f for f in reversed(screen.frames) if f["type"] == "snapshot")
    ids, columns = snapshot["sensors"]["id"], snapshot["series"]
    pairs = zip(columns["sensor"], columns["metric"], strict=True)
    return {(ids[at], metric): number for number, (at, metric) in enumerate(pairs)}


async def test_hello_snapshot_delta_incident_and_resume_after_a_reconnect(centre: Centre) -> None:
    async with centre.screen() as screen:
        hello = await screen.next("hello")
        assert hello["city"]["name_zh"] == "肇庆市"
        snapshot = await screen.next("snapshot")
        assert "la-1" not in snapshot["sensors"]["id"]  # another city's sensor has no place
        numbers = await series(screen)
        await centre.post(speed(33.0))
        delta = await screen.next("delta")
        assert delta["series"] == [numbers["road-1", "traffic.speed"]]
        assert (delta["value"], delta["state"]) == ([33.0], ["normal"])
        await centre.step(incident(1))
        event = await screen.next("incident")
        assert event["event"]["data"]["state"] == "open"
        alarm = screen.frames[-2]
        assert (alarm["series"], alarm["state"]) == ([numbers["gauge-1", "water.level"]], ["p2"])
    await centre.post(speed(44.0))
    closed = incident(1, 2, state=IncidentState.CLOSED, alert_state=AlertState.CLEARED)
    await centre.step(closed)
    async with centre.screen(resume=screen.token) as again:
        event = await again.next("incident")
        assert (event["event"]["data"]["version"], event["event"]["data"]["state"]) == (2, "closed")
        kinds = [frame["type"] for frame in again.frames]
        assert "snapshot" not in kinds
        assert "resync" not in kinds
        shown = {
            number: (value, state)
            for frame in again.frames
            if frame["type"] == "delta"
            for number, value, state in zip(
                frame["series"], frame["value"], frame["state"], strict=True
            )
        }
        assert shown[numbers["road-1", "traffic.speed"]] == (44.0, "normal")
        assert shown[numbers["gauge-1", "water.level"]] == (None, "never")


async def test_a_restart_loads_what_is_stored_and_resumes_old_tokens(idle_centre: Centre) -> None:
    centre = idle_centre
    first, second, late = speed(30.0, 60), speed(50.0), speed(9.0, 90)
    async with centre.running(), centre.screen() as screen:
        await screen.next("snapshot")
        await centre.post(first)
        await screen.next("delta")
    ends = await centre.log.ends(READINGS)
    await centre.store([first], {p: end for p, end in ends.items() if end})
    await centre.post(second, late)  # logged, not yet stored
    await centre.step(incident(1))
    async with centre.running():
        async with centre.screen(resume=screen.token) as again:
            event = await again.next("incident")
            assert event["event"]["data"]["version"] == 1
            assert "resync" not in [frame["type"] for frame in again.frames]
            assert 50.0 in [v for f in again.frames if f["type"] == "delta" for v in f["value"]]
        async with centre.screen() as fresh:
            snapshot = await fresh.next("snapshot")
            number = (await series(fresh))["road-1", "traffic.speed"]
            assert snapshot["series"]["value"][number] == 50.0
            assert [one["version"] for one in snapshot["incidents"]] == [1]


async def test_another_log_is_never_taken_for_the_old_one(idle_centre: Centre) -> None:
    centre = idle_centre
    async with centre.running(), centre.screen() as screen:
        await screen.next("snapshot")
    async with centre.engine.begin() as connection:
        await connection.execute(text("UPDATE eventlog.life SET incarnation = 'another'"))
    await centre.log.create_topics()
    async with centre.running(), centre.screen(resume=screen.token) as again:
        assert (await again.next("resync"))["reason"] == "incarnation"
        await again.next("snapshot")


async def test_a_new_sensor_reaches_every_screen_with_its_first_reading(centre: Centre) -> None:
    async with centre.screen() as screen:
        await screen.next("snapshot")
        await centre.register("sim-1", "traffic.speed")
        await centre.post(speed(12.0, sensor="sim-1"))
        assert (await screen.next("resync"))["reason"] == "registry"
        snapshot = await screen.next("snapshot")
        number = (await series(screen))["sim-1", "traffic.speed"]
        if snapshot["series"]["value"][number] != 12.0:  # it may come right after
            delta = await screen.next("delta")
            assert (delta["series"], delta["value"]) == ([number], [12.0])


async def test_a_filter_narrows_what_is_sent(centre: Centre) -> None:
    wanted = {"domains": ["environment"], "areas": ["441202"]}
    async with centre.screen(wanted=wanted) as screen:
        snapshot = await screen.next("snapshot")
        assert snapshot["sensors"]["id"] == ["gauge-1"]
        await centre.post(speed(33.0))
        await centre.post(Reading("gauge-1", "water.level", now_us(), 3.5))
        delta = await screen.next("delta")
        while not delta["series"]:
            delta = await screen.next("delta")
        assert (delta["series"], delta["value"]) == ([0], [3.5])


async def test_garbage_in_the_log_is_stepped_over(centre: Centre) -> None:
    async with centre.screen() as screen:
        await screen.next("snapshot")
        for topic in (READINGS, INCIDENTS):
            for value in (b"", b"\xff\xfe", b"[]", b'{"items":[["a"]]}'):
                await centre.log.publish([Outgoing(topic, "x", value)])
        await centre.post(speed(21.0))
        assert (await screen.next("delta"))["value"] == [21.0]
        await centre.step(incident(7))
        await screen.next("incident")


async def test_a_screen_that_does_not_read_harms_nobody_and_catches_up(centre: Centre) -> None:
    async with (
        centre.connect(f"?token={centre.screen_token}", max_queue=1) as stalled,
        centre.screen() as quick,
    ):
        await stalled.send('{"type":"hello"}')
        await quick.next("snapshot")
        note = "x" * 60_000  # fills the socket's buffers soon
        for number in range(150):
            await centre.step(incident(number, title=note))
        seen = 0
        while seen < 150:
            await quick.next("incident")
            seen += 1
        await centre.post(speed(77.0))
        while 77.0 not in (await quick.next("delta"))["value"]:
            pass
        screen = Screen(stalled)
        got = {(await screen.next("incident"))["event"]["data"]["id"] for _ in range(150)}
        assert len(got) == 150


async def test_the_pulse_comes_and_a_ping_is_answered(centre: Centre) -> None:
    async with centre.screen() as screen:
        pulse = await screen.next("pulse")
        assert pulse["clients"] == 1
        await screen.socket.send('{"type":"ping"}')
        assert await screen.next("pulse") == pulse


async def refused(centre: Centre, query: str, *frames: str, **more: Any) -> tuple[int, str]:
    async with centre.connect(query, **more) as socket:
        with suppress(websockets.ConnectionClosed):  # it may not wait for our frames
            for frame in frames:
                await socket.send(frame)
        with pytest.raises(websockets.ConnectionClosed) as closed:
            async with asyncio.timeout(60):
                while True:
                    await socket.recv()
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code, closed.value.rcvd.reason


async def test_strangers_are_turned_away(centre: Centre) -> None:
    for query in ("", "?token=", "?token=wrong", "?token=%00"):
        assert (await refused(centre, query, '{"type":"hello"}'))[0] == 4401


@pytest.mark.parametrize(
    "frames",
    [
        ("{",),
        ('{"type":"ping"}',),
        ('{"type":"dance"}',),
        ('{"type":"hello","filter":{"areas":["atlantis"]}}',),
        (json.dumps({"type": "hello", "resume": "x" * 10_000}),),
        ('{"type":"hello"}', '{"type":"hello"}'),
        ('{"type":"hello"}', "nonsense"),
    ],
)
async def test_bad_frames_close_the_socket_with_a_reason(
    centre: Centre, frames: tuple[str, ...]
) -> None:
    code, reason = await refused(centre, f"?token={centre.screen_token}", *frames)
    assert code == 4400
    assert reason


async def test_silence_instead_of_hello_is_not_waited_for_long(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "HELLO_SECONDS", 0.2)
    code, reason = await refused(centre, f"?token={centre.screen_token}")
    assert (code, reason) == (4400, "no hello within 0 s")


async def test_a_revoked_token_ends_its_socket(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "RECHECK_SECONDS", 0.2)
    async with centre.screen() as screen:
        await screen.next("snapshot")
        async with centre.engine.begin() as connection:
            await connection.execute(text("DELETE FROM ops.screen_tokens"))
        with pytest.raises(websockets.ConnectionClosed) as closed:
            await screen.next("never")
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4401


async def test_a_grants_key_sees_what_it_was_lent_until_it_is_revoked(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody asks again who it is meanwhile: what has ended is found out by itself."""
    monkeypatch.setattr(door, "RECHECK_SECONDS", 600.0)
    now, key = system_clock(), {"key_id": "lent", "name": "lent", "prefix": "x", "scopes": []}
    fields = ["readings.value", "readings.observed_at", "sensors.sensor_id"]
    grant = {
        "grant_id": "g", "kind": "key", "recipient": "x", "purpose": "x", "level": 1,
        "fields": fields, "ends_at": now + timedelta(hours=1), "requested_by": "x",
        "requested_at": now, "approved": True, "key_id": "lent",
    }  # fmt: skip
    async with centre.engine.begin() as connection:
        await connection.execute(insert(api_keys).values(key | {"token_sha256": token_hash("t")}))
        await connection.execute(insert(grants).values(grant))
    async with centre.connect("?token=t") as socket:
        await socket.send('{"type":"hello"}')
        screen = Screen(socket)
        told = await screen.next("snapshot")
        assert any(told["sensors"]["id"]) and not any(told["sensors"]["name"])
        assert not any(told["sensors"]["lon"]) and told["incidents"] == []
        assert set(told["series"]["state"]) == {"never"}
        async with centre.engine.begin() as connection:
            await connection.execute(update(api_keys).values(revoked_at=system_clock()))
        with pytest.raises(websockets.ConnectionClosed) as closed:
            await screen.next("never")
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4401


async def test_a_cookie_works_on_its_own_site_only(centre: Centre) -> None:
    async with centre.http() as http:
        username, password = centre.login
        given = {"username": username, "password": password}
        token = (await http.post("/v1/session", json=given)).json()["token"]
    cookie = {"Cookie": f"yiwang_session={token}"}
    own = f"http://127.0.0.1:{centre.port}"
    async with centre.connect(additional_headers=cookie, origin=own) as socket:
        await socket.send('{"type":"hello"}')
        await Screen(socket).next("snapshot")
    code, _ = await refused(centre, "", additional_headers=cookie, origin="https://evil.example")
    assert code == 4403
    expired = {"Cookie": "yiwang_session=expired"}
    query = f"?token={centre.screen_token}"
    async with centre.connect(query, additional_headers=expired, origin=own) as socket:
        await socket.send('{"type":"hello"}')
        await Screen(socket).next("snapshot")
