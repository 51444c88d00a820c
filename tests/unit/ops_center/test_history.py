"""History's decisions: what is asked, in which form."""

import asyncio
import csv
import io
import json
from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow.parquet
import pytest
import shapely

from services.ops_center.history import accept
from services.ops_center.history.forms import written
from services.ops_center.history.question import (
    AreasQuestion,
    Asked,
    ExportQuestion,
    MomentQuestion,
    SeriesQuestion,
    question_of,
)
from services.ops_center.history.span import BadParameter, Span
from services.ops_center.history.stream import Slots, Stream
from services.ops_center.history.table import Column, Row, Table
from shared.errors import Overloaded

NOW = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("given_header", "expected"),
    [
        ("*/*", accept.JSON),
        ("", accept.JSON),
        ("text/csv", accept.CSV),
        ("text/html, application/*;q=0.8", accept.JSON),
        ("application/json;q=0.5, text/csv", accept.CSV),
        ("application/x-ndjson;q=0.9, */*;q=0.1", accept.NDJSON),
        ("application/json;q=0, */*", accept.NDJSON),
        ("TEXT/CSV; charset=utf-8; header=present", accept.CSV),
        ("text/html", None),
        ("text/csv;q=0", None),
        ("text/csv;q=wrong", None),
    ],
)
def test_the_most_wanted_of_the_offered_forms(given_header: str, expected: str | None) -> None:
    assert accept.best(given_header, accept.OFFERED) == expected


def asked(**parameters: Any) -> Asked:
    return Asked.model_validate(parameters)


def test_each_question_is_told_by_its_parameters() -> None:
    one = {"sensor_id": ["a"], "metric": ["m"]}
    assert isinstance(question_of(asked(**one), NOW), SeriesQuestion)
    assert isinstance(question_of(asked(**one, resolution="raw"), NOW), ExportQuestion)
    areas = question_of(asked(metric=["m"], group_by="district", area_id=["4"]), NOW)
    assert isinstance(areas, AreasQuestion)
    assert (areas.area_ids, areas.span) == (("4",), Span(NOW - timedelta(hours=24), NOW))
    moment = question_of(asked(at="2026-04-01T00:00:00Z", sensor_id=["b", "a", "b"]), NOW)
    assert isinstance(moment, MomentQuestion)
    assert moment.selection.sensor_ids == ("b", "a")


@pytest.mark.parametrize(
    ("parameters", "name", "code"),
    [
        ({"metric": ["m"]}, "sensor_id", "missing"),
        ({"sensor_id": ["a"]}, "metric", "missing"),
        ({"sensor_id": ["a", "b"], "metric": ["m"]}, "sensor_id", "too_many"),
        ({"sensor_id": ["a"], "metric": ["m"], "domain": ["traffic"]}, "domain", "conflict"),
        ({"group_by": "district"}, "metric", "missing"),
        ({"group_by": "city", "metric": ["m"], "sensor_id": ["a"]}, "sensor_id", "conflict"),
        ({"at": "2026-04-01T00:00:00Z", "from": "2026-04-01T00:00:00Z"}, "from", "conflict"),
        ({"at": "2026-06-01T00:00:00Z"}, "at", "invalid_value"),
        ({"at": "then"}, "at", "invalid_value"),
        ({"resolution": "raw", "points": 5}, "points", "conflict"),
        ({"resolution": "raw", "sensor_id": ["a b"]}, "sensor_id", "invalid_value"),
        ({"resolution": "raw", "area_id": ["=1"]}, "area_id", "invalid_value"),
    ],
)
def test_what_has_no_meaning_is_refused(parameters: dict[str, Any], name: str, code: str) -> None:
    with pytest.raises(BadParameter) as caught:
        question_of(asked(**parameters), NOW)
    assert (caught.value.name, caught.value.code) == (name, code)


COLUMNS = (
    Column("name", "text"),
    Column("at", "instant"),
    Column("value", "number", "km/h"),
    Column("lon", "number"),
    Column("lat", "number"),
)
ROWS: list[Row] = [
    ("=cmd()", NOW + timedelta(microseconds=5), -1.5, 112.4, 23.1),
    ('a "quoted", 肇庆\r\nname', NOW, 2.0, None, None),
    ("-7", NOW, None, 112.5, 23.2),
]


async def whole(media_type: str, pages: Sequence[Sequence[Row]], **more: Any) -> bytes:
    async def paged() -> AsyncGenerator[Sequence[Row], None]:
        for page in pages:
            yield page

    columns = more.pop("columns", COLUMNS)
    table = Table({"unit": "km/h"}, columns, paged(), {"metric": "@m"}, **more)
    return b"".join([part async for part in written(table, media_type)])


PAGINGS = [[ROWS], [[], ROWS[:1], [], ROWS[1:]], [[row] for row in ROWS]]


@pytest.mark.parametrize("pages", PAGINGS)
async def test_csv_is_rfc_4180_and_no_spreadsheet_runs_it(pages: list[list[Row]]) -> None:
    text = (await whole(accept.CSV, pages)).decode()
    assert text.startswith("metric,name,at,value [km/h],lon,lat\r\n'@m,'=cmd(),")
    header, *rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    assert rows[0] == ["'@m", "'=cmd()", "2026-05-01T00:00:00.000005Z", "-1.5", "112.4", "23.1"]
    assert rows[1][1] == 'a "quoted", 肇庆\r\nname'
    assert rows[2][1:4] == ["'-7", "2026-05-01T00:00:00Z", ""]
    assert {len(row) for row in rows} == {len(header)}


@pytest.mark.parametrize("pages", PAGINGS)
async def test_json_and_ndjson_say_the_same(pages: list[list[Row]]) -> None:
    body = json.loads(await whole(accept.JSON, pages))
    assert body["unit"] == "km/h"
    assert [item["value"] for item in body["items"]] == [-1.5, 2.0, None]
    lines = (await whole(accept.NDJSON, pages)).decode().splitlines()
    assert [json.loads(line) for line in lines] == [{"metric": "@m"} | i for i in body["items"]]


@pytest.mark.parametrize("pages", PAGINGS)
async def test_geojson_is_read_by_shapely(pages: list[list[Row]]) -> None:
    body = json.loads(await whole(accept.GEOJSON, pages))
    shapes = [feature["geometry"] for feature in body["features"]]
    assert shapes[1] is None
    points = [shapely.from_geojson(json.dumps(shape)) for shape in shapes if shape]
    assert [(point.x, point.y) for point in points] == [(112.4, 23.1), (112.5, 23.2)]
    assert body["features"][0]["properties"]["name"] == "=cmd()"
    fixed = await whole(accept.GEOJSON, [[("a",)]], columns=COLUMNS[:1], place=(1.0, 2.0))
    assert json.loads(fixed)["features"][0]["geometry"]["coordinates"] == [1.0, 2.0]


@pytest.mark.parametrize("pages", PAGINGS)
async def test_parquet_is_read_by_pyarrow(pages: list[list[Row]]) -> None:
    found = pyarrow.parquet.read_table(io.BytesIO(await whole(accept.PARQUET, pages)))
    assert found.column_names == ["metric", "name", "at", "value", "lon", "lat"]
    assert found["name"].to_pylist() == [row[0] for row in ROWS]
    assert found["at"].to_pylist() == [row[1] for row in ROWS]
    assert found["value"].to_pylist() == [-1.5, 2.0, None]
    assert found.schema.field("value").metadata == {b"unit": b"km/h"}


@pytest.mark.parametrize("media_type", accept.OFFERED)
async def test_nothing_is_an_answer_too(media_type: str) -> None:
    body = await whole(media_type, [[]])
    if media_type == accept.PARQUET:
        assert pyarrow.parquet.read_table(io.BytesIO(body)).num_rows == 0
    elif media_type in (accept.JSON, accept.GEOJSON):
        assert list(json.loads(body).values())[-1] == []
    else:
        assert body.count(b"\n") == (1 if media_type == accept.CSV else 0)


async def test_parquet_goes_out_in_row_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.ops_center.history.parquet_form.GROUP_ROWS", 10)
    body = await whole(accept.PARQUET, [ROWS] * 20)
    file = pyarrow.parquet.ParquetFile(io.BytesIO(body))
    assert file.metadata.num_rows == 60
    assert file.num_row_groups == 5


def test_slots_refuse_what_is_too_much_and_are_given_back_once() -> None:
    slots = Slots(1, "exports")
    give = slots.take()
    with pytest.raises(Overloaded):
        slots.take()
    give()
    give()
    assert slots.free == 1


class Client:
    """An ASGI client that takes `room` messages and then nothing more."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.got: list[dict[str, Any]] = []

    async def receive(self) -> dict[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(self, message: Any) -> None:
        if len(self.got) >= self.room:
            await asyncio.Event().wait()
        self.got.append(message)


async def endless(closed: list[bool]) -> AsyncGenerator[bytes, None]:
    try:
        while True:
            yield b"x" * 100_000
    finally:
        closed.append(True)


async def test_a_client_that_takes_nothing_is_cut_off_and_gives_everything_back() -> None:
    closed: list[bool] = []
    client, slots = Client(5), Slots(1, "exports")
    stream = Stream(endless(closed), "text/csv", {}, slots.take(), stall_seconds=0.05)
    await stream({"type": "http"}, client.receive, client.send)
    assert (closed, slots.free, len(client.got)) == ([True], 1, 5)
    assert all(len(m.get("body", b"")) <= 65_536 for m in client.got)
    assert client.got[-1]["more_body"] is True  # so the server closes: nobody takes it for whole


async def test_what_fails_under_way_cuts_the_answer_off() -> None:
    async def failing() -> AsyncGenerator[bytes, None]:
        yield b"some"
        raise Overloaded("too long")

    client, slots = Client(100), Slots(1, "exports")
    stream = Stream(failing(), "text/csv", {}, slots.take())
    await stream({"type": "http"}, client.receive, client.send)
    assert slots.free == 1
    assert client.got[-1] == {"type": "http.response.body", "body": b"some", "more_body": True}
