"""SensorThings for reading, also by a public client."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import frost_sta_client as frost
import pytest
from frost_sta_client.service.auth_handler import AuthHandler

from tests.integration.ops_center import past
from tests.integration.ops_center.conftest import Centre

ROOT = "/v1/sta/v1.1"
START = datetime(2026, 5, 1, tzinfo=UTC)
SPEED = "traffic.speed"
STREAM = f"Datastreams('road-1~{SPEED}')"


@pytest.fixture(autouse=True)
async def readings(idle_centre: Centre) -> None:
    rows: list[past.Reading] = [
        {"sensor_id": "road-1", "metric": SPEED, "observed_at": START + timedelta(minutes=n),
         "value": float(n), "quality": 0}
        for n in range(250)
    ]  # fmt: skip
    await past.store(idle_centre.engine, rows)


async def get(centre: Centre, path: str, **query: Any) -> Any:
    options = {f"${name}": value for name, value in query.items()}
    return await centre.ask(f"{ROOT}{path}", **options)


async def test_a_public_client_reads_everything(centre: Centre) -> None:
    def read() -> dict[str, Any]:
        service = frost.SensorThingsService(f"http://127.0.0.1:{centre.port}{ROOT}")
        service.auth_handler = _Bearer(centre.screen_token)
        things = {one.id for one in service.things().query().list()}
        stream = service.datastreams().find(f"road-1~{SPEED}")
        query = stream.get_observations().query().orderby("phenomenonTime", "asc").top(100)
        results = [one.result for one in query.list()]
        location = service.things().find("road-1").get_locations().query().list().entities[0]
        return {"things": things, "results": results, "unit": stream.unit_of_measurement.symbol,
                "place": location.location}  # fmt: skip

    found = await asyncio.to_thread(read)
    assert {"road-1", "gauge-1", "la-1"} <= found["things"]
    assert found["results"] == [float(n) for n in range(250)], "three pages"
    assert found["unit"] == "km/h"
    assert found["place"]["type"] == "Point"


class _Bearer(AuthHandler):  # type: ignore[misc]
    """As the client wants its authentication."""

    def __init__(self, token: str) -> None:
        super().__init__()
        self._token = token

    def add_auth_header(self) -> Callable[[Any], Any]:
        def sign(request: Any) -> Any:
            request.headers["Authorization"] = f"Bearer {self._token}"
            return request

        return sign


async def test_options(centre: Centre) -> None:
    page = await get(
        centre, f"/{STREAM}/Observations", top=2, count="true", orderby="phenomenonTime desc",
        filter="result lt 100 and phenomenonTime ge 2026-05-01T00:10:00Z",
    )  # fmt: skip
    assert page["@iot.count"] == 90
    assert [one["result"] for one in page["value"]] == [99.0, 98.0]
    assert "$skip=2" in page["@iot.nextLink"]
    one = await get(centre, f"/Observations('{page['value'][0]['@iot.id']}')", expand="Datastream")
    assert (one["result"], one["Datastream"]["@iot.id"]) == (99.0, f"road-1~{SPEED}")
    things = await get(
        centre, "/Things", filter="@iot.id eq 'road-1'", select="name",
        expand="Locations,Datastreams($expand=ObservedProperty,Observations($top=1;"
        "$orderby=phenomenonTime desc))",
    )  # fmt: skip
    (thing,) = things["value"]
    assert thing["Locations"][0]["location"]["type"] == "Point"
    stream = next(s for s in thing["Datastreams"] if s["@iot.id"].endswith(SPEED))
    assert stream["ObservedProperty"]["@iot.id"] == SPEED
    assert [one["result"] for one in stream["Observations"]] == [249.0]
    streams = await get(
        centre, "/Datastreams", filter=f"ObservedProperty/@iot.id eq '{SPEED}'", count="true"
    )
    assert streams["@iot.count"] == len(streams["value"]) > 0
    assert {s["properties"]["metric"] for s in streams["value"]} == {SPEED}
    begins = await get(centre, "/Things", filter="startswith(@iot.id,'road')")
    assert [one["@iot.id"] for one in begins["value"]] == ["road-1", "road-2"]
    place = await get(centre, f"/{STREAM}/Thing/Locations")
    assert len(place["value"]) == 1
    roots = await get(centre, "")
    assert {"Things", "Observations"} <= {one["name"] for one in roots["value"]}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/Things?$top=x", 400), ("/Things?$search=x", 400), ("/Things?$filter=name or x", 400),
        ("/Things?$filter=weight gt 3", 400), ("/Things?$expand=Wings", 400),
        ("/Observations", 400), ("/Wings", 404), ("/Things('nobody')", 404),
        (f"/{STREAM}/Wings", 404), ("/Observations('x~y~z')", 404), ("/Things(1)", 404),
        (f"/{STREAM}/Observations?$filter=result gt 'x'", 400),
        ("/Observations('road-1~traffic.speed~99999999999999999')", 404),
    ],
)  # fmt: skip
async def test_what_cannot_be_answered_is_a_problem(centre: Centre, path: str, status: int) -> None:
    async with centre.http(centre.screen_token) as http:
        answer = await http.get(ROOT + path)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
