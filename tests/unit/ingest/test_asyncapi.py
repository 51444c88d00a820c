"""The AsyncAPI document: sound, complete, and true of what is really sent."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import jsonschema
import msgspec
import pytest

from services.ingest.asyncapi import document
from services.ingest.quarantine import announcer
from services.ingest.registry.sensor import Location, Sensor
from shared.contracts import live, replay
from shared.contracts.incident import Incident, IncidentEvent, IncidentState
from shared.contracts.reading import Batch, Reading, ReadingIn, encode_batch
from shared.contracts.topics import TOPICS

NOW = datetime(2026, 5, 1, 8, 0, tzinfo=UTC)
DOCUMENT = document()
READING = {"sensor_id": "g-1", "metric": "water.level", "observed_at": "2026-05-01T08:00:00Z",
           "value": 3.5}  # fmt: skip
EVENT = IncidentEvent(
    id=uuid4(), type="incident.opened", timestamp=NOW, actor="rule",
    data=Incident(
        id=uuid4(), title="t", state=IncidentState.OPEN, grade=1, priority=1, area_id=None,
        subjects=("g-1",), rule_id=None, rule_version=None, opened_at=NOW, updated_at=NOW,
        observed_at=NOW, deadline_at=None,
    ),
)  # fmt: skip
SENSOR = Sensor(
    sensor_id="g-1", metrics=("water.level",), location=Location(lon=112.4, lat=23.1),
    updated_at=NOW,
)  # fmt: skip
RAW = msgspec.Raw(EVENT.model_dump_json().encode())
STANDING = replay.Standing("2026-05-01T08:00:00Z", NOW.isoformat(), 60, playing=True, ended=False)
EXAMPLES: dict[str, Any] = {
    "ReadingIn": READING,
    "Readings": [READING],
    "CloudEvent": {"specversion": "1.0", "id": "1", "source": "s", "type": "t", "data": READING},
    "CloudEvents": [
        {"specversion": "1.0", "id": "1", "source": "s", "type": "t", "data": [READING]}
    ],
    "Batch": json.loads(
        encode_batch(Batch([Reading("g-1", "water.level", 1, 3.5)], 1, "", 2, "t", [("k", 1)]))
    ),
    "IncidentEvent": EVENT.model_dump(mode="json"),
    "Sensor": SENSOR.model_dump(mode="json"),
    "Quarantined": dict.fromkeys(announcer._TOLD, "x") | {"id": 1, "item": READING},
    "ClientHello": live.ClientHello("token", live.Filter(["traffic"], ["441200"])),
    "ClientPing": live.ClientPing(),
    "ClientFilter": live.ClientFilter(live.Filter(bbox=(112.0, 23.0, 113.0, 24.0))),
    "ClientPainted": live.ClientPainted(1),
    "Hello": live.Hello(NOW.isoformat(), 500, live.City(441200, "肇庆", "Zhaoqing")),
    "Snapshot": live.Snapshot(
        [live.MetricInfo("m", "traffic", "u", "z", "e", None, 1.0, 60)],
        [live.AreaInfo("441200", "z", "e")],
        live.SensorColumns(["g-1"], ["n"], [1.0], [2.0], [None]),
        live.SeriesColumns([0], ["m"], [None], [None], ["never"]),
        [RAW],
        "token",
    ),
    "Delta": live.Delta([0], [1.5], [1], ["normal"], "token", 1),
    "IncidentFrame": live.IncidentFrame(RAW, "token"),
    "NeighboursFrame": live.NeighboursFrame(
        live.Neighbours(
            [live.NeighbourCity(440100, "广州", "Guangzhou", None, False)],
            [
                live.NeighbourWarning(
                    440100,
                    "gz-1",
                    "Severe",
                    False,
                    "洪水",
                    "Flood",
                    "z",
                    "e",
                    "z",
                    "e",
                    NOW.isoformat(),
                    NOW.isoformat(),
                    NOW.isoformat(),
                    [[(113.0, 23.1)]],
                )
            ],
        )
    ),
    "Pulse": live.Pulse(NOW.isoformat(), 1, live.Latency(None, 1, 2), 3, 0),
    "ScreenFrame": live.ScreenFrame(
        live.ScreenInfo(
            "s",
            "n",
            [
                live.ShownView(
                    "v",
                    "n",
                    live.MapCentre(112.4, 23.1, 9.0),
                    None,
                    ["traffic"],
                    "dark",
                    "zh",
                    [],
                    30,
                )
            ],
        )
    ),
    "Resync": live.Resync("registry"),
    "ReplayHello": replay.ReplayHello("2026-05-01T08:00:00Z", speed=60),
    "Steer": replay.Steer(playing=False, at="2026-05-01T08:00:00Z", step=60),
    "ReplayPing": replay.ReplayPing(),
    "ReplayGreeting": replay.ReplayGreeting(
        NOW.isoformat(), 250, live.City(441200, "肇庆", "Zhaoqing"), STANDING
    ),
    "ReplayPulse": replay.ReplayPulse(NOW.isoformat(), STANDING),
}


def references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [ref for part in value.values() for ref in references(part)]
    return [ref for part in value for ref in references(part)] if isinstance(value, list) else []


def resolve(reference: str) -> Any:
    found: Any = DOCUMENT
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found


def plain(example: Any) -> Any:
    encoded = msgspec.json.encode(example) if isinstance(example, msgspec.Struct) else None
    return example if encoded is None else json.loads(encoded)


def accepts(name: str, value: Any) -> bool:
    schema = {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}
    return jsonschema.Draft202012Validator(schema).is_valid(value)  # type: ignore[no-any-return]


def test_the_document_is_sound() -> None:
    assert DOCUMENT["asyncapi"] == "3.0.0" and {"title", "version"} <= DOCUMENT["info"].keys()
    found = references(DOCUMENT)
    assert len(found) > 60
    for reference in found:
        assert resolve(reference), reference
    for operation in DOCUMENT["operations"].values():
        assert operation["action"] in ("send", "receive")
        channel = operation["channel"]["$ref"]
        assert all(ref["$ref"].startswith(channel + "/messages/") for ref in operation["messages"])
    for server in DOCUMENT["servers"].values():
        assert {"host", "protocol"} <= server.keys()
    for schema in DOCUMENT["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
    json.dumps(DOCUMENT)


def test_every_topic_and_every_message_is_described() -> None:
    addresses = {channel["address"] for channel in DOCUMENT["channels"].values()}
    assert addresses == {topic.name for topic in TOPICS} | {"/v1/live", "/v1/replay"}
    assert DOCUMENT["components"]["messages"].keys() == EXAMPLES.keys()


@pytest.mark.parametrize("name", list(EXAMPLES))
def test_what_is_really_sent_fits_its_schema(name: str) -> None:
    value = plain(EXAMPLES[name])
    assert accepts(name, value)
    assert not accepts(name, "something else")
    if isinstance(value, dict):
        described = resolve(f"#/components/schemas/{name}")["properties"]
        assert value.keys() <= described.keys()
        assert not accepts(name, {key: {"no": "such"} for key in value})


def test_the_inbox_schema_refuses_what_the_contract_refuses() -> None:
    assert ReadingIn.model_validate_json(json.dumps(READING))
    for change in ({"value": "3"}, {"sensor_id": "a b"}, {"unit": "m"}, {"quality": "fine"}):
        assert not accepts("ReadingIn", READING | change)
