"""The denominator of `post_to_screen`: POST → the next 250 ms tick → every socket.

No key, no validation, no log, no database, no rules: what remains is the tick, the sockets, the
machine and the load client.
"""

import asyncio
from typing import Any

import msgspec

from tests.bench import bare

TICK_SECONDS = 0.25

_newest: dict[str, float] = {}
_places: dict[str, int] = {}
_screens: set[Any] = set()
_ticking: list["asyncio.Task[None]"] = []


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """ASGI."""
    if scope["type"] == "http":
        _take(msgspec.json.decode(await _body(receive)))
        await bare.accept(send)
    elif scope["type"] == "websocket":
        await _show(receive, send)


def _take(readings: Any) -> None:
    for reading in readings if isinstance(readings, list) else [readings]:
        _places.setdefault(reading["sensor_id"], len(_places))
        _newest[reading["sensor_id"]] = reading["value"]


async def _body(receive: Any) -> bytes:
    parts, more = [], True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


async def _show(receive: Any, send: Any) -> None:
    if not _ticking:
        _ticking.append(asyncio.create_task(_tick()))
    await receive()
    await send({"type": "websocket.accept"})
    sensors, series = {"id": list(_places)}, {"sensor": list(range(len(_places)))}
    await _text(send, {"type": "snapshot", "sensors": sensors, "series": series})
    _screens.add(send)
    try:
        while (await receive())["type"] != "websocket.disconnect":
            pass
    finally:
        _screens.discard(send)


async def _tick() -> None:
    loop = asyncio.get_running_loop()
    due = loop.time()
    while True:
        due = max(due + TICK_SECONDS, loop.time())
        await asyncio.sleep(due - loop.time())
        if not _newest:
            continue
        series = [_places[sensor] for sensor in _newest]
        frame = {"type": "delta", "series": series, "value": list(_newest.values())}
        _newest.clear()
        text = msgspec.json.encode(frame).decode()
        for send in list(_screens):
            await send({"type": "websocket.send", "text": text})


async def _text(send: Any, frame: dict[str, Any]) -> None:
    await send({"type": "websocket.send", "text": msgspec.json.encode(frame).decode()})
