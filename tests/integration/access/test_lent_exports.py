"""Bulk exports of what was lent: confined, the orderer's own, at its pace, until it is revoked."""

from datetime import timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from tests.integration.access.city import City
from tests.integration.access.lending import FIELDS, call, lent
from tests.integration.access.test_grants import AT, stored
from tests.waiting import eventually


async def ordered(home: City, token: str, **body: Any) -> tuple[int, dict[str, Any]]:
    asked = {"dataset": "readings", "format": "csv", "from": AT.isoformat()} | body
    answer = await call(home, "POST", "/v1/exports", token, asked)
    return answer.status_code, answer.json()


async def test_a_grants_key_orders_what_it_was_lent_and_nothing_else(
    everything: City, engine: AsyncEngine
) -> None:
    await stored(engine)
    since, until = AT + timedelta(minutes=5), AT + timedelta(minutes=15)
    _, token = await lent(
        everything, areas=["441202"], metrics=["water.level"], since=since.isoformat(),
        until=until.isoformat(),
    )  # fmt: skip
    status, made = await ordered(everything, token)
    assert status == 201, made
    assert (made["from"], made["to"]) == (
        f"{since:%Y-%m-%dT%H:%M:%SZ}",
        f"{until:%Y-%m-%dT%H:%M:%SZ}",
    )
    [part] = made["parts"]
    head, *rows = (await call(everything, "GET", part["url"], token)).text.splitlines()
    assert {f"readings.{name}" for name in head.split(",")} <= set(FIELDS)
    assert len(rows) == 10 and all("near" in row and "rain.hour" not in row for row in rows)
    again = (await call(everything, "GET", f"/v1/exports/{made['export_id']}", token)).json()
    assert (again["rows"], again["parts"][0]["sha256"] is not None) == (10, True)
    mine = (await call(everything, "GET", "/v1/exports", token)).json()["items"]
    assert [one["export_id"] for one in mine] == [made["export_id"]]
    for body in (
        {"dataset": "incidents"},
        {"dataset": "sensors", "from": None},
        {"to": since.isoformat()},
    ):
        status, told = await ordered(everything, token, **body)
        assert (status, told["code"]) == (403, "not_granted"), body
    _, other = await lent(everything)
    for path in (f"/v1/exports/{made['export_id']}", part["url"]):
        assert (await call(everything, "GET", path, other)).status_code == 404


async def test_an_ordered_part_is_given_at_the_grants_pace_and_no_longer_than_it_lasts(
    everything: City, engine: AsyncEngine
) -> None:
    await stored(engine)
    grant_id, token = await lent(everything, rows_per_second=1000)
    _, made = await ordered(everything, token, to=(AT + timedelta(minutes=20)).isoformat())
    [part] = made["parts"]
    assert len((await call(everything, "GET", part["url"], token)).text.splitlines()) == 81
    revoked = await call(
        everything, "POST", f"/v1/grants/{grant_id}/revoke", "admin", {"reason": "止"}
    )
    assert revoked.status_code == 200

    async def refused() -> bool:
        return (await call(everything, "GET", part["url"], token)).status_code == 401

    assert await eventually(refused, 10)
