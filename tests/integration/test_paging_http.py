"""Paging over HTTP: from the reading to the message, and back by the link in it."""

import json
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncEngine

from services.alerts.paging.links import VALID_FOR, SignedLinks, secret
from shared.clock import system_clock
from shared.store.tables import incidents
from tests.integration.alerting import Receiver
from tests.integration.paging import CHAIN, ROUTE
from tests.integration.test_alerts_http import ROLES, House
from tests.waiting import eventually

BROWSER = {"accept": "text/html,application/xhtml+xml"}


async def on_call(house: House, receiver: Receiver) -> None:
    """Li, then Wang, both by one receiver."""
    for name in ("li", "wang"):
        new = {"url": receiver.url, "events": [], "name": name}
        _, made = await house.call("POST", "/v1/endpoints", new, "admin")
        person = {"person_id": name, "name": name.title(), "contacts": [made["endpoint_id"]]}
        await house.call("PUT", f"/v1/people/{name}", person | {"language": "en"}, "admin")
    for path, entry in (("chains/chain", CHAIN), ("routes/route", ROUTE)):
        body = entry.model_dump(mode="json", by_alias=True)
        status, answer = await house.call("PUT", f"/v1/{path}", body, "admin")
        assert status == 200, answer


async def told(receiver: Receiver) -> dict[str, Any]:
    """The first page that came."""

    async def came() -> bool:
        return bool(receiver.seen)

    assert await eventually(came, 15)
    return dict(json.loads(receiver.seen[0][1])["data"])


async def test_li_acknowledges_and_resolves_from_the_message(
    house: House, receivers: list[Receiver]
) -> None:
    receivers.append(Receiver())
    await on_call(house, receivers[0])
    [incident] = await house.opened()
    place = f"/v1/incidents/{incident['id']}"
    page = await told(receivers[0])
    assert page["person"] == {"person_id": "li", "name": "Li"}
    _, escalation = await house.call("GET", f"{place}/escalation")
    assert escalation["stage"] == "telling"
    assert escalation["tracks"][0]["next_call"]["people"] == ["wang"]
    links = page["links"][incident["id"]]
    link = links["acknowledge"]
    for _ in range(2):  # a chat program looks at it, too
        shown = await house.client.get(link, headers=BROWSER)
        assert (shown.status_code, "<button>Acknowledge</button>" in shown.text) == (200, True)
        assert "default-src 'none'" in shown.headers["content-security-policy"]
    assert (await house.call("GET", place))[1]["state"] == "open"
    done = await house.client.post(link, headers=BROWSER)
    assert "Done" in done.text
    _, after = await house.call("GET", place)
    assert (after["state"], after["timeline"][-1]["actor"]) == ("acknowledged", "li")
    again = await house.client.post(link, headers=BROWSER)
    assert (again.status_code, "Nothing to do: acknowledged" in again.text) == (200, True)

    async def quiet() -> bool:
        return bool((await house.call("GET", f"{place}/escalation"))[1]["stage"] == "acknowledged")

    assert await eventually(quiet, 10)
    assert "Resolve</button>" in (await house.client.get(links["resolve"])).text
    assert "resolved" in (await house.client.post(links["resolve"])).text
    assert (await house.call("GET", place))[1]["state"] == "resolved"
    _, page = await house.call("GET", f"/v1/notifications?incident_id={incident['id']}")
    assert ("person:li", "new", "sent") in {
        (item["recipient"], item["reason"], item["state"]) for item in page["items"]
    }


async def test_what_is_open_is_resolved_at_once(house: House, receivers: list[Receiver]) -> None:
    receivers.append(Receiver())
    await on_call(house, receivers[0])
    [incident] = await house.opened()
    page = await told(receivers[0])
    await house.client.post(page["links"][incident["id"]]["resolve"])
    _, after = await house.call("GET", f"/v1/incidents/{incident['id']}")
    assert [step["type"] for step in after["timeline"]][-2:] == [
        "incident.acknowledged", "incident.resolved",
    ]  # fmt: skip


async def test_a_link_that_is_old_changed_or_forged_does_nothing(
    house: House, engine: AsyncEngine
) -> None:
    [incident] = await house.opened()
    now = system_clock()
    ours = SignedLinks(await secret(engine), "http://city")
    good = ours.token(uuid4(), "li", "acknowledge", now)
    old = ours.token(uuid4(), "li", "acknowledge", now - VALID_FOR)
    forged = SignedLinks("another", "").token(uuid4(), "li", "acknowledge", now)
    for token, status, said in [
        (good, 404, "无效"), (good[:-1] + "x" if good[-1] != "x" else good[:-1] + "y", 404, "无效"),
        (forged, 404, "无效"), (old, 410, "过期"), ("nonsense", 404, "无效"),
    ]:  # fmt: skip
        for method in ("GET", "POST"):
            answer = await house.client.request(method, f"/v1/links/{token}", headers=BROWSER)
            assert (answer.status_code, said in answer.text) == (status, True)
            assert (await house.call(method, f"/v1/links/{token}"))[0] == status
    assert (await house.call("GET", f"/v1/incidents/{incident['id']}"))[1]["state"] == "open"


async def test_a_title_is_shown_as_it_is(house: House, engine: AsyncEngine) -> None:
    [incident] = await house.opened()
    async with engine.begin() as connection:
        await connection.execute(update(incidents).values(title="<script>alert(1)</script>"))
    links = SignedLinks(await secret(engine), "http://city")
    token = links.token(UUID(incident["id"]), "li", "acknowledge", system_clock())
    shown = await house.client.get(f"/v1/links/{token}", headers=BROWSER)
    assert "<script>" not in shown.text
    assert "&lt;script&gt;" in shown.text


async def test_who_may_see_who_was_told(house: House) -> None:
    [incident] = await house.opened()
    for path in ("/v1/notifications", f"/v1/incidents/{incident['id']}/escalation"):
        assert (await house.call("GET", path, who=""))[0] == 401
        for who in ("screen", "key", *ROLES):
            status, _ = await house.call("GET", path, who=who)
            assert (status != 403) == (who in ("operator", "dispatcher", "admin")), (path, who)
    missing = f"/v1/incidents/{uuid4()}/escalation"
    assert (await house.call("GET", missing))[0] == 404


async def test_what_nobody_could_be_told_of_is_listed(house: House) -> None:
    [incident] = await house.opened()

    async def said() -> bool:
        _, page = await house.call("GET", "/v1/notifications?recipient=nobody&limit=1")
        return [item["why"] for item in page["items"]] == ["no route fits"]

    assert await eventually(said, 10)
    _, page = await house.call("GET", f"/v1/notifications?incident_id={incident['id']}")
    assert len(page["items"]) == 1
