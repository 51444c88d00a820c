"""What a neighbouring city's platform brings: taken once, believed only with its signature, never
sent on."""

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from services.alerts.channels.cap import NAMESPACE
from services.alerts.neighbours import mailbox
from services.alerts.neighbours.message import MAX_BYTES
from shared.clock import system_clock
from shared.store.neighbourhood import holds
from shared.store.tables import (
    alerts_audit,
    cap_messages,
    deliveries,
    incidents,
    neighbour_warnings,
)
from tests.integration.neighbouring import PLACE, Document, Platform, befriend
from tests.integration.test_alerts_http import House

BOMB = f"""<!DOCTYPE alert [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "{"&a;" * 100}">]>
<alert xmlns="{NAMESPACE}"><identifier>&b;</identifier></alert>"""
OUTSIDE = f"""<!DOCTYPE alert [<!ENTITY a SYSTEM "file:///etc/passwd">]>
<alert xmlns="{NAMESPACE}"><identifier>&a;</identifier></alert>"""


async def listed(house: House) -> dict[str, bool]:
    """Identifier → whether it holds, the newest first."""
    _, page = await house.call("GET", f"{PLACE}/warnings", who="viewer")
    return {one["identifier"]: one["holds"] for one in page["items"]}


async def counted(engine: AsyncEngine, table: Any) -> int:
    async with engine.connect() as connection:
        return int(await connection.scalar(select(func.count()).select_from(table)) or 0)


async def test_a_warning_is_taken_once(
    house: House, guangzhou: Platform, engine: AsyncEngine
) -> None:
    alert = Document("440100_1")
    first, again = await guangzhou.bring(alert), await guangzhou.bring(alert)
    assert (first.status_code, first.json()["known"]) == (201, False)
    assert (again.status_code, again.json()["known"]) == (200, True)
    _, page = await house.call("GET", f"{PLACE}/warnings", who="viewer")
    [kept] = page["items"]
    assert (kept["holds"], kept["severity"], kept["exercise"]) == (True, "Severe", False)
    assert kept["wording"]["zh"]["headline"] == "广州市发布洪水橙色预警"
    assert kept["wording"]["en"]["area"] == "Guangzhou"
    _, cities = await house.call("GET", "/v1/neighbours", who="operator")
    assert cities["items"][0]["heard_at"] is not None
    async with engine.connect() as connection:
        query = select(alerts_audit).where(alerts_audit.c.action == "neighbour.warned")
        [row] = (await connection.execute(query)).all()
    assert (row.actor, row.kind, row.subject) == ("440100", "neighbour", "440100 440100_1")


async def test_what_a_neighbour_warns_of_goes_no_further(
    house: House, guangzhou: Platform, engine: AsyncEngine
) -> None:
    """It is no incident, pages nobody, is not published, and is told to no other city."""
    await befriend(house, adcode=441800, interest={})
    assert (await guangzhou.bring(Document("440100_1"))).status_code == 201
    await house.opened()  # whatever would follow from the warning has followed by now
    assert await counted(engine, incidents) == 1
    assert await counted(engine, cap_messages) == 0
    async with engine.connect() as connection:
        kinds = set((await connection.execute(select(deliveries.c.type))).scalars())
    assert not {kind for kind in kinds if kind.startswith("warning.")}


async def test_our_own_message_that_comes_back_is_refused(guangzhou: Platform) -> None:
    own = Document("44120000000000_20260501080000_1", sender="yiwang@localhost")
    answer = await guangzhou.bring(own)
    assert (answer.status_code, answer.json()["code"]) == (422, "own_message")


async def test_only_who_knows_the_secret_is_believed(
    house: House, guangzhou: Platform, engine: AsyncEngine
) -> None:
    alert = Document("440100_1")
    stranger = Platform(house.client, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    other_body = guangzhou.signed(Document("440100_2").xml())
    for answer in (
        await stranger.bring(alert),
        await guangzhou.bring(alert, **other_body),
        await guangzhou.bring(alert, **{"webhook-signature": ""}),
        await guangzhou.bring(alert, **{"webhook-id": "another"}),
        await guangzhou.bring(alert, **{"webhook-timestamp": "soon"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (401, "bad_signature")
    unknown = Platform(house.client, guangzhou.secret, adcode=440200)
    assert (await unknown.bring(alert)).status_code == 404
    assert await counted(engine, neighbour_warnings) == 0


@pytest.mark.parametrize("minutes", [-6, 6])
async def test_a_message_that_was_recorded_is_worth_nothing_later(
    guangzhou: Platform, minutes: int, engine: AsyncEngine
) -> None:
    alert = Document("440100_1")
    then = guangzhou.signed(alert.xml(), system_clock() + timedelta(minutes=minutes))
    answer = await guangzhou.bring(alert, **then)
    assert answer.status_code == 401
    assert "clock" in answer.json()["detail"]
    assert await counted(engine, neighbour_warnings) == 0


@pytest.mark.parametrize(
    ("body", "status", "code", "pointer"),
    [
        (BOMB, 422, "forbidden", ""),
        (OUTSIDE, 422, "forbidden", ""),
        ("<alert>", 422, "malformed", ""),
        ("<a>" * 50_000, 422, "malformed", ""),
        ("<alert/>", 422, "malformed", ""),
        ("x" * (MAX_BYTES + 1), 413, "too_large", None),
        (Document("440100_1", "Update").xml(), 422, "invalid_value", "/alert/references"),
        (Document("440100_1", "Ack").xml(), 422, "invalid_value", "/alert/msgType"),
        (Document("440100_1", status="Draft").xml(), 422, "invalid_value", "/alert/status"),
        (Document("440 100").xml(), 422, "invalid_value", "/alert/identifier"),
        (Document("1", sent_at=system_clock() + timedelta(hours=1)).xml(), 422, "in_future",
         "/alert/sent"),
        (Document("1", sent_at=system_clock() - timedelta(days=40)).xml(), 422, "too_old",
         "/alert/sent"),
        (Document("1").xml().replace("Severe", "bad"), 422, "invalid_value",
         "/alert/info/severity"),
        (Document("1").xml().replace("23.0,113.1", "95,113.1"), 422, "invalid_value",
         "/alert/info/area/polygon"),
        (Document("1").xml().replace(">Public<", ">Private<"), 422, "invalid_value",
         "/alert/scope"),
    ],
)  # fmt: skip
async def test_what_cannot_be_taken_is_refused_with_its_place(
    guangzhou: Platform, engine: AsyncEngine, body: str, status: int, code: str, pointer: str | None
) -> None:
    answer = await guangzhou.bring(body)
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem.get("pointer")) == (status, code, pointer)
    assert answer.headers["content-type"] == "application/problem+json"
    assert await counted(engine, neighbour_warnings) == 0


async def test_another_kind_of_body_is_refused(guangzhou: Platform) -> None:
    answer = await guangzhou.bring(Document("1"), **{"content-type": "application/json"})
    assert answer.status_code == 415


async def test_an_identifier_says_one_thing(house: House, guangzhou: Platform) -> None:
    await guangzhou.bring(Document("440100_1"))
    other = await guangzhou.bring(Document("440100_1", holds=timedelta(hours=7)))
    assert (other.status_code, other.json()["code"]) == (422, "conflict")
    assert await listed(house) == {"440100_1": True}


async def test_in_whatever_order_they_come_the_last_word_counts(
    house: House, guangzhou: Platform
) -> None:
    start = system_clock() - timedelta(minutes=10)
    for number, order in enumerate(permutations(range(3))):
        names = [f"{number}_{kind}" for kind in ("alert", "update", "cancel")]
        chain = [
            Document(names[0], "Alert", start),
            # Each names the first only, as some senders do; ours name all.
            Document(names[1], "Update", start + timedelta(minutes=1), replaces=names[:1]),
            Document(names[2], "Cancel", start + timedelta(minutes=2), replaces=names[:1]),
        ]
        for place in order:
            assert (await guangzhou.bring(chain[place])).status_code == 201
    assert len(await listed(house)) == 18
    assert not any((await listed(house)).values())


async def test_an_update_replaces_and_what_expires_is_over(
    house: House, guangzhou: Platform, engine: AsyncEngine
) -> None:
    start = system_clock() - timedelta(minutes=10)
    await guangzhou.bring(Document("a", sent_at=start))
    await guangzhou.bring(Document("b", "Update", start + timedelta(minutes=1), replaces=["a"]))
    await guangzhou.bring(Document("c", sent_at=start, holds=timedelta(minutes=5)))
    assert await listed(house) == {"a": False, "b": True, "c": False}
    query = select(neighbour_warnings.c.identifier)
    async with engine.connect() as connection:
        later = query.where(holds(system_clock() + timedelta(hours=7)))
        assert (await connection.execute(later)).all() == []


async def test_one_city_cannot_lift_what_another_warns_of(
    house: House, guangzhou: Platform
) -> None:
    qingyuan = await befriend(house, adcode=441800)
    await guangzhou.bring(Document("a"))
    lifting = Document("z", "Cancel", replaces=["a"])
    assert (await qingyuan.bring(lifting)).status_code == 201
    assert await listed(house) == {"a": True}


async def test_signs_of_life_and_tests_are_heard_and_not_shown(
    house: House, guangzhou: Platform
) -> None:
    for status in ("System", "Test"):
        answer = await guangzhou.bring(Document(f"440100_{status}", status=status))
        assert (answer.status_code, answer.json()["kept"]) == (200, False)
    assert await listed(house) == {}
    await guangzhou.bring(Document("exercise", status="Exercise"))
    _, page = await house.call("GET", f"{PLACE}/warnings", who="viewer")
    assert [one["exercise"] for one in page["items"]] == [True]


async def test_a_flood_of_messages_is_refused_for_a_while(
    guangzhou: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailbox, "MESSAGES_PER_MINUTE", 2)
    first = Document("n0")
    answers = [await guangzhou.bring(one) for one in (first, Document("n1"), Document("n2"))]
    assert [answer.status_code for answer in answers] == [201, 201, 429]
    assert answers[2].headers["retry-after"] == "60"
    assert (await guangzhou.bring(first)).status_code == 200  # what is known costs nothing
