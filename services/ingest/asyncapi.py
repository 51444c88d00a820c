"""AsyncAPI 3.0 of the topics and the live socket, generated from the contracts' own models."""

from collections.abc import Sequence
from typing import Any

import msgspec
from fastapi import APIRouter
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from services.ingest.registry.sensor import Sensor
from shared.contracts import live
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
    live.Resync,
)
LIVE = "live"
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
    frames = [frame.__name__ for frame in (*_CLIENT, *_SERVER)]
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Yiwang 一网",
            "version": "1",
            "description": "The topics and the live socket. HTTP is described at /docs.",
        },
        "defaultContentType": "application/json",
        "servers": {
            "log": {"host": "kafka:9092", "protocol": "kafka"},
            "city": {"host": "localhost:8000", "protocol": "ws"},
        },
        "channels": {**topics, LIVE: _live(frames)},
        "operations": _operations(),
        "components": {
            "schemas": _schemas(),
            "messages": {name: _message(name) for name in [*names, *frames]},
        },
    }


def asyncapi_router() -> APIRouter:
    """`GET /asyncapi.json`."""
    router = APIRouter(tags=["documents"])
    found = document()

    @router.get("/asyncapi.json")
    async def read_asyncapi() -> dict[str, Any]:
        """The topics and the live socket as an AsyncAPI 3.0 document."""
        return found

    return router


def _topic(name: str, description: str, messages: Sequence[str]) -> dict[str, Any]:
    return {
        "address": name,
        "description": description,
        "servers": [{"$ref": "#/servers/log"}],
        "messages": _references(messages),
    }


def _live(frames: Sequence[str]) -> dict[str, Any]:
    return {
        "address": "/v1/live",
        "description": live.__doc__,
        "servers": [{"$ref": "#/servers/city"}],
        "messages": _references(frames),
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
    clients, servers = ([frame.__name__ for frame in side] for side in (_CLIENT, _SERVER))
    return {
        **topics,
        "receive live": _operation("receive", LIVE, clients),
        "send live": _operation("send", LIVE, servers),
    }


def _operation(action: str, channel: str, messages: Sequence[str]) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "messages": [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in messages],
    }


def _schemas() -> dict[str, Any]:
    template = _REF + "{name}"
    _, structs = msgspec.json.schema_components([Batch, *_CLIENT, *_SERVER], ref_template=template)
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
