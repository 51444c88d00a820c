"""Receivers and the ledger of deliveries, over HTTP."""

from typing import Any

import pytest

from tests.integration.alerting import Receiver
from tests.integration.test_alerts_http import House
from tests.waiting import eventually

NOBODY = "00000000-0000-0000-0000-000000000000"


async def added(house: House, **fields: Any) -> dict[str, Any]:
    status, made = await house.call("POST", "/v1/endpoints", fields, "admin")
    assert status == 201, made
    return dict(made)


async def test_a_receiver_is_tried_changed_switched_off_and_on(
    house: House, receivers: list[Receiver]
) -> None:
    receivers += [Receiver((500, {}), (200, {})), Receiver()]
    made = await added(house, url=receivers[0].url, name="防汛值班室", language="en")
    place = f"/v1/endpoints/{made['endpoint_id']}"
    status, tried = await house.call("POST", f"{place}/test")
    assert (status, tried["state"], tried["attempts"][0]["status"]) == (200, "dead", 500)
    _, tried = await house.call("POST", f"{place}/test")
    assert (tried["state"], tried["attempts"][0]["error"]) == ("delivered", "")
    status, changed = await house.call(
        "PATCH", place, {"url": receivers[1].url, "name": "防汛"}, "admin"
    )
    assert (status, changed["name"], changed["language"]) == (200, "防汛", "en")
    assert "secret" not in changed
    await house.call("POST", f"{place}/test")
    assert len(receivers[1].seen) == 1
    await house.call("PATCH", place, {"enabled": False}, "admin")
    status, problem = await house.call("POST", f"{place}/test")
    assert (status, problem["code"]) == (409, "conflict")
    _, changed = await house.call("PATCH", place, {"enabled": True}, "admin")
    assert (changed["enabled"], changed["failures"]) == (True, 0)
    _, shown = await house.call("GET", place)
    assert shown == changed


async def test_a_secret_is_replaced_and_only_a_webhook_has_one(
    house: House, receivers: list[Receiver]
) -> None:
    receivers.append(Receiver())
    made = await added(house, url=receivers[0].url)
    status, new = await house.call(
        "POST", f"/v1/endpoints/{made['endpoint_id']}/rotate", {}, "admin"
    )
    assert status == 200
    assert new["secret"].startswith("whsec_")
    assert new["secret"] != made["secret"]
    robot = await added(house, url=f"{receivers[0].url}?key=x", channel="wecom")
    status, problem = await house.call(
        "POST", f"/v1/endpoints/{robot['endpoint_id']}/rotate", {}, "admin"
    )
    assert (status, problem["pointer"]) == (422, "/channel")


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"url": "https://example.org/x", "channel": "pigeon"}, "/channel"),
        ({"url": "https://example.org/x", "channel": "dingtalk"}, "/url"),
        ({"url": "https://example.org/x", "channel": "email"}, "/url"),
        ({"url": "mailto:li@example.org", "channel": "email"}, "/url"),  # no mail server here
        ({"url": "https://example.org/x", "channel": "slack", "secret": "x"}, "/secret"),
        ({"url": "https://example.org/x", "language": "de"}, "/language"),
        ({"url": "http://127.0.0.2.nip.invalid@10.0.0.1/x"}, "/url"),
    ],
)
async def test_a_receiver_that_cannot_be(
    house: House, fields: dict[str, Any], pointer: str
) -> None:
    status, problem = await house.call("POST", "/v1/endpoints", fields, "admin")
    assert status == 422
    assert pointer in str(problem), problem


async def test_the_ledger_is_filtered_and_sends_again(
    house: House, receivers: list[Receiver]
) -> None:
    receivers += [Receiver((404, {}), (200, {})), Receiver()]
    made = [await added(house, url=one.url, events=["incident.closed"]) for one in receivers]
    tried = [
        (await house.call("POST", f"/v1/endpoints/{one['endpoint_id']}/test"))[1] for one in made
    ]
    for query, count in [
        ("purpose=test", 2), ("purpose=paging", 0), ("state=dead", 1), ("state=delivered", 1),
        (f"endpoint_id={made[0]['endpoint_id']}", 1), ("person=li", 0),
        (f"incident_id={NOBODY}", 2),
    ]:  # fmt: skip
        _, page = await house.call("GET", f"/v1/deliveries?{query}")
        assert len(page["items"]) == count, query
    place = f"/v1/deliveries/{tried[0]['delivery_id']}"
    assert (await house.call("POST", f"{place}/resend"))[0] == 202

    async def delivered() -> bool:
        return bool((await house.call("GET", place))[1]["state"] == "delivered")

    assert await eventually(delivered, 10)
    assert receivers[0].ids == [tried[0]["delivery_id"]] * 2
    status, answer = await house.call("POST", "/v1/deliveries/resend", {"state": "delivered"})
    assert (status, answer) == (202, {"resent": 2})
    assert (await house.call("POST", "/v1/deliveries/resend", {}))[0] == 422
    for method, path in [
        ("GET", f"/v1/deliveries/{NOBODY}"), ("POST", f"/v1/deliveries/{NOBODY}/resend"),
        ("GET", f"/v1/endpoints/{NOBODY}"), ("POST", f"/v1/endpoints/{NOBODY}/test"),
    ]:  # fmt: skip
        assert (await house.call(method, path))[0] == 404


async def test_who_may_do_what_with_receivers(house: House) -> None:
    everybody, people, admins = {"screen", "key", "viewer", "operator", "dispatcher", "admin"}, {
        "operator", "dispatcher", "admin",
    }, {"admin"}  # fmt: skip
    for method, path, body, admitted in [
        ("GET", f"/v1/endpoints/{NOBODY}", None, people),
        ("POST", f"/v1/endpoints/{NOBODY}/test", {}, people),
        ("POST", f"/v1/endpoints/{NOBODY}/rotate", {}, admins),
        ("PATCH", f"/v1/endpoints/{NOBODY}", {"name": "x"}, admins),
        ("GET", f"/v1/deliveries/{NOBODY}", None, people),
        ("POST", f"/v1/deliveries/{NOBODY}/resend", {}, people),
        ("POST", "/v1/deliveries/resend", {"state": "dead"}, people),
    ]:  # fmt: skip
        assert (await house.call(method, path, body, ""))[0] == 401
        for who in everybody:
            status, _ = await house.call(method, path, body, who)
            assert (status != 403) == (who in admitted), (method, path, who, status)
