"""What neighbouring cities are told: our public warnings that concern them, as CAP, until they are
lifted."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncEngine
from standardwebhooks import Webhook

from shared.store.tables import incidents
from tests.integration.alerting import Receiver
from tests.integration.test_alerts_http import House
from tests.integration.test_cap import text, valid
from tests.waiting import eventually


async def named(house: House, receiver: Receiver, **fields: Any) -> str:
    """A neighbour that listens there; the secret."""
    body = {"adcode": 440100, "name_zh": "广州", "name_en": "Guangzhou", "url": receiver.url}
    status, made = await house.call("POST", "/v1/neighbours", body | fields, "admin")
    assert status == 201, made
    return str(made["secret"])


def told(receiver: Receiver, kind: str = "Actual Exercise") -> list[Any]:
    """The warnings that came, each valid CAP; or the documents of another status."""
    found = [valid(body) for _, body in receiver.seen]
    return [one for one in found if text(one, "status")[0] in kind]


async def came(receiver: Receiver, *kinds: str) -> list[Any]:
    """The warnings, once so many have come."""

    async def there() -> bool:
        return len(told(receiver)) >= len(kinds)

    assert await eventually(there, 20)
    found = told(receiver)
    assert [text(one, "msgType")[0] for one in found] == [*kinds]
    return found


async def warn(engine: AsyncEngine, incident: dict[str, Any], **values: Any) -> None:
    async with engine.begin() as connection:
        mine = incidents.c.id == incident["id"]
        await connection.execute(update(incidents).where(mine).values(values))


async def test_a_warning_is_told_renewed_and_lifted(
    house: House, engine: AsyncEngine, receivers: list[Receiver]
) -> None:
    receivers += [Receiver((500, {}), (200, {}))]
    secret = await named(house, receivers[0], interest={"categories": ["flooding"]})
    [incident] = await house.opened()
    await warn(engine, incident, warning="orange", category="flooding")
    [alert] = await came(receivers[0], "Alert")
    await warn(engine, incident, warning="red")
    await came(receivers[0], "Alert", "Update")
    await warn(engine, incident, state="closed")
    _, changed, lifted = await came(receivers[0], "Alert", "Update", "Cancel")
    assert text(alert, "info/severity") == ["Severe"] * 2
    assert text(changed, "info/severity") == ["Extreme"] * 2
    assert len(text(lifted, "references")[0].split()) == 2
    for headers, body in receivers[0].seen:
        assert headers["content-type"].startswith("application/cap+xml")
        at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
        signed = Webhook(secret).sign(headers["webhook-id"], at, body)
        assert headers["webhook-signature"] == signed
    _, page = await house.call("GET", f"/v1/deliveries?incident_id={incident['id']}")
    assert [(one["type"], one["state"]) for one in page["items"]] == [
        ("warning.cancel", "delivered"), ("warning.update", "delivered"),
        ("warning.alert", "delivered"),
    ]  # fmt: skip


async def test_what_does_not_concern_it_is_not_told(
    house: House, engine: AsyncEngine, receivers: list[Receiver]
) -> None:
    receivers += [Receiver()]
    await named(house, receivers[0], interest={"categories": ["flooding"], "least": "red"})
    mild, other, grave = await house.opened(3)
    await warn(engine, mild, warning="orange", category="flooding")
    await warn(engine, other, warning="red", category="gas")
    await warn(engine, grave, warning="red", category="flooding")
    [only] = await came(receivers[0], "Alert")
    assert text(only, "info/severity")[0] == "Extreme"
    # What it was told of it hears to the end, mild as it may have become.
    await warn(engine, grave, warning="orange")
    await came(receivers[0], "Alert", "Update")


async def test_who_becomes_a_neighbour_hears_what_holds(
    house: House, engine: AsyncEngine, receivers: list[Receiver]
) -> None:
    [incident] = await house.opened()
    await warn(engine, incident, warning="red", category="flooding")

    async def published() -> bool:
        return b"<entry>" in (await house.client.get("/v1/cap")).content

    assert await eventually(published, 10)
    receivers += [Receiver()]
    await named(house, receivers[0])
    await came(receivers[0], "Alert")


async def test_it_is_given_a_sign_of_life_and_can_be_tested(
    house: House, receivers: list[Receiver]
) -> None:
    receivers += [Receiver()]
    await named(house, receivers[0], interest=None)

    async def alive() -> bool:
        return len(told(receivers[0], "System")) == 1

    assert await eventually(alive, 20)
    _, page = await house.call("GET", "/v1/neighbours", who="operator")
    place = f"/v1/endpoints/{page['items'][0]['endpoint_id']}/test"
    _, tried = await house.call("POST", place)
    assert tried["state"] == "delivered"
    assert len(told(receivers[0], "Test")) == 1


async def test_nothing_but_warnings_leaves_by_this_way(
    house: House, engine: AsyncEngine, receivers: list[Receiver]
) -> None:
    """Even when somebody subscribes the neighbour's endpoint to every incident."""
    receivers += [Receiver()]
    await named(house, receivers[0], interest=None)
    _, page = await house.call("GET", "/v1/neighbours", who="operator")
    place = f"/v1/endpoints/{page['items'][0]['endpoint_id']}"
    assert (await house.call("PATCH", place, {"events": ["*"]}, "admin"))[0] == 200
    await house.opened()

    async def given_up() -> bool:
        _, ledger = await house.call("GET", "/v1/deliveries?state=dead")
        return len(ledger["items"]) == 1

    assert await eventually(given_up, 20)
    assert [text(valid(body), "status") for _, body in receivers[0].seen] in ([], [["System"]])
