"""Neighbouring cities as administrators name them, change them and part with them."""

from typing import Any

import pytest

from tests.integration.neighbouring import ADDED, PLACE, Document, Platform
from tests.integration.test_alerts_http import House


async def test_a_secret_is_replaced_without_losing_anything(
    house: House, guangzhou: Platform
) -> None:
    _, made = await house.call("POST", f"{PLACE}/rotate", who="admin")
    renewed = Platform(house.client, made["secret"])
    assert made["secret"] != guangzhou.secret
    assert (await guangzhou.bring(Document("old"))).status_code == 201
    assert (await renewed.bring(Document("new"))).status_code == 201
    theirs = "whsec_" + "A" * 32
    assert (await house.call("PATCH", PLACE, {"secret": theirs}, "admin"))[0] == 200
    assert (await guangzhou.bring(Document("oldest"))).status_code == 401
    assert (await Platform(house.client, theirs).bring(Document("newest"))).status_code == 201


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"url": "http://10.0.0.1/v1/neighbours/441200/warnings"}, "/url"),
        ({"url": "mailto:a@example.org"}, "/url"),
        ({"secret": "short"}, "/secret"),
        ({"secret": "whsec_" + "é" * 40}, "/secret"),
        ({"adcode": 441200}, "/adcode"),
        ({"interest": {"categories": ["dragons"]}}, "/interest/categories/0"),
        ({"interest": {"least": "purple"}}, "/interest/least"),
    ],
)
async def test_a_neighbour_that_cannot_be_is_refused_with_its_place(
    house: House, fields: dict[str, Any], pointer: str
) -> None:
    body = ADDED | fields
    status, problem = await house.call("POST", "/v1/neighbours", body, "admin")
    assert (status, problem["errors"][0]["pointer"]) == (422, pointer)


async def test_who_is_no_neighbour_any_more_is_not_believed(
    house: House, guangzhou: Platform
) -> None:
    await guangzhou.bring(Document("a"))
    _, page = await house.call("GET", "/v1/neighbours", who="operator")
    endpoint = f"/v1/endpoints/{page['items'][0]['endpoint_id']}"
    assert (await house.call("DELETE", endpoint, who="admin"))[0] == 409
    body = ADDED
    assert (await house.call("POST", "/v1/neighbours", body, "admin"))[0] == 409
    assert (await house.call("DELETE", PLACE, who="admin"))[0] == 204
    assert (await house.call("DELETE", PLACE, who="admin"))[0] == 404
    assert (await guangzhou.bring(Document("b"))).status_code == 404
    status, made = await house.call("POST", "/v1/neighbours", body, "admin")
    assert status == 201
    assert (await guangzhou.bring(Document("b"))).status_code == 401
    assert (await Platform(house.client, made["secret"]).bring(Document("b"))).status_code == 201
