"""AsyncAPI 3.0 of the topics and the sockets, generated from the contracts' own models."""

from collections.abc import Sequence
from typing import Any

import msgspec
from fastapi import APIRouter
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from services.ingest.registry.sensor import Sensor
from shared.contracts import live, replay
from shared.contracts.incident import IncidentEvent
from shared.contracts.reading import Batch, ReadingIn
from shared.contracts.topics import CONDITIONS, INBOX, INCIDENTS, QUARANTINE, READINGS, SENSORS

_REF = "#/components/schemas/"
_CLIENT = (live.ClientHello, live.ClientPing, live.ClientFilter, live.ClientPainted)
_SERVER = (
    live.Hello,
    live.Snapshot,
    live.Delta,
    live.IncidentFrame,
    live.Pulse,
    live.ScreenFrame,
    live.NeighboursFrame,
    live.Resync,
)
_REPLAY_CLIENT = (replay.ReplayHello, replay.Steer, replay.ReplayPing)
_REPLAY_SERVER = (
    replay.ReplayGreeting,
    live.Snapshot,
    live.Delta,
    live.IncidentFrame,
    replay.ReplayPulse,
    live.Resync,
)
# Of each socket: its address, what it is for, what clients send, what they are sent.
_SOCKETS = {
    "live": ("/v1/live", live.__doc__, _CLIENT, _SERVER),
    "replay": ("/v1/replay", replay.__doc__, _REPLAY_CLIENT, _REPLAY_SERVER),
}
# Of each channel: what it is for, the messages on it, whether others produce to it.
_TOPICS: dict[str, tuple[str, tuple[str, ...]]] = {
    INBOX: (
        "Producers' readings: one reading, one CloudEvent, or an array of either per record."
        " Headers: `yiwang-key`, `content-type`, `content-encoding`, `ce_…` (binary mode).",
        ("ReadingIn", "Readings", "CloudEvent", "CloudEvents"),
    ),
    READINGS: (
        "Clean readings, one record per batch and partition; ours alone. A batch without items is"
        " a clock tick: `accepted_us` says what time it is.",
        ("Batch",),
    ),
    CONDITIONS: ("Changes of single-sensor conditions; ours alone, in a form of our own.", ()),
    INCIDENTS: ("Every step of every incident; key: the incident's id.", ("IncidentEvent",)),
    SENSORS: ("The registry; compacted; key: the sensor's id.", ("Sensor",)),
    QUARANTINE: ("News of what was set aside; key: its source.", ("Quarantined",)),
}


def document() -> dict[str, Any]:
    """The whole document."""
    topics = {name: _topic(name, *about) for name, about in _TOPICS.items()}
    names = [name for _, messages in _TOPICS.values() for name in messages]
    sockets = {name: _socket(*about) for name, about in _SOCKETS.items()}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Yiwang 一网",
            "version": "1",
            "description": "The topics, the live socket, and replays. HTTP is described at /docs.",
        },
        "defaultContentType": "application/json",
        "servers": {
            "log": {"host": "kafka:9092", "protocol": "kafka"},
            "city": {"host": "localhost:8000", "protocol": "ws"},
        },
        "channels": {**topics, **sockets},
        "operations": _operations(),
        "components": {
            "schemas": _schemas(),
            "messages": {name: _message(name) for name in [*names, *_names(_frames())]},
        },
    }


def asyncapi_router() -> APIRouter:
    """`GET /asyncapi.json`."""
    router = APIRouter(tags=["documents"])
    found = document()

    @router.get("/asyncapi.json")
    async def read_asyncapi() -> dict[str, Any]:
        """The topics and the sockets as an AsyncAPI 3.0 document."""
        return found

    return router


def _topic(name: str, description: str, messages: Sequence[str]) -> dict[str, Any]:
    return {
        "address": name,
        "description": description,
        "servers": [{"$ref": "#/servers/log"}],
        "messages": _references(messages),
    }


def _socket(address: str, description: str | None, *sides: Sequence[type]) -> dict[str, Any]:
    return {
        "address": address,
        "description": description,
        "servers": [{"$ref": "#/servers/city"}],
        "messages": _references(_names([frame for side in sides for frame in side])),
        "bindings": {
            "ws": {"query": {"type": "object", "properties": {"token": {"type": "string"}}}}
        },
    }


def _references(names: Sequence[str]) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/messages/{name}"} for name in names}


def _message(name: str) -> dict[str, Any]:
    return {"name": name, "payload": {"$ref": _REF + name}}


def _operations() -> dict[str, Any]:
    """From the platform's side: it receives what others send."""
    topics = {
        f"{'receive' if name == INBOX else 'send'} {name}": _operation(
            "receive" if name == INBOX else "send", name, messages
        )
        for name, (_, messages) in _TOPICS.items()
        if messages
    }
    sockets = {
        f"{action} {name}": _operation(action, name, _names(frames))
        for name, (_, _, clients, servers) in _SOCKETS.items()
        for action, frames in (("receive", clients), ("send", servers))
    }
    return {**topics, **sockets}


def _frames() -> list[type]:
    """Of all sockets, each once."""
    sides = [side for _, _, *both in _SOCKETS.values() for side in both]
    return list(dict.fromkeys(frame for side in sides for frame in side))


def _names(frames: Sequence[type]) -> list[str]:
    return [frame.__name__ for frame in frames]


def _operation(action: str, channel: str, messages: Sequence[str]) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "messages": [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in messages],
    }


def _schemas() -> dict[str, Any]:
    template = _REF + "{name}"
    _, structs = msgspec.json.schema_components([Batch, *_frames()], ref_template=template)
    models: list[type[BaseModel]] = [ReadingIn, IncidentEvent, Sensor]
    _, ours = models_json_schema(
        [(model, "serialization") for model in models], ref_template=_REF + "{model}"
    )
    return {**structs, **ours["$defs"], **_inbox(), "Quarantined": _quarantined()}


def _inbox() -> dict[str, Any]:
    reading, event = {"$ref": _REF + "ReadingIn"}, {"$ref": _REF + "CloudEvent"}
    readings = {"type": "array", "items": reading, "minItems": 1}
    text = {"type": "string", "minLength": 1}
    return {
        "Readings": readings,
        "CloudEvents": {"type": "array", "items": event, "minItems": 1},
        "CloudEvent": {
            "type": "object",
            "required": ["specversion", "type", "source", "id"],
            "properties": {
                "specversion": {"const": "1.0"},
                "type": text,
                "source": text,
                "id": text,
                "data": {"oneOf": [reading, readings]},
                "data_base64": text,
            },
        },
    }


def _quarantined() -> dict[str, Any]:
    text: dict[str, Any] = {"type": "string"}
    members = {"id": {"type": "integer"}, "quarantined_at": text | {"format": "date-time"}}
    members |= dict.fromkeys(("code", "detail", "source", "format"), text)
    return {
        "type": "object",
        "required": [*members, "item", "reading"],
        "properties": members | {"item": {}, "reading": {}},
    }
