"""Delivery to receivers of every kind: batches, paces, fail-over, abandonment, sending again."""

import json
from datetime import timedelta
from typing import Any

from aiosmtpd.controller import Controller
from sqlalchemy.ext.asyncio import AsyncEngine
from standardwebhooks import Webhook

from services.alerts.delivery import schedule, verdict
from services.alerts.delivery.endpoints import NewEndpoint, Which
from services.alerts.delivery.mail_sender import NOT_SET_UP, MailSender, MailServer
from services.alerts.delivery.posting import Posting
from services.alerts.delivery.probing import Probe
from services.alerts.delivery.sender import Sender
from shared.store.embedded import free_port
from tests.integration.alerting import LOOPBACK, Receiver, all_incidents
from tests.integration.delivering import NOWHERE, TEST_BODY, Desk

TAKEN = (200, {"x-body": '{"errcode":0,"errmsg":"ok"}'})
TOO_FAST = (200, {"x-body": '{"errcode":130101,"errmsg":"send too fast"}'})
WRONG_SIGN = (200, {"x-body": '{"errcode":310000,"errmsg":"sign not match"}'})


def states(rows: list[dict[str, Any]]) -> list[str]:
    return [row["state"] for row in rows]


def robot(receiver: Receiver) -> NewEndpoint:
    return NewEndpoint(f"{receiver.url}?access_token=x", channel="dingtalk", secret="SECx")


async def test_a_bot_gets_what_waits_in_one_message_and_no_faster_than_it_allows(
    engine: AsyncEngine, receivers: list[Receiver]
) -> None:
    receivers.append(Receiver(TAKEN))
    desk = Desk(engine)
    made = await desk.endpoints.put(robot(receivers[0]))
    await desk.queue(made["endpoint_id"], 30)
    assert states(await desk.attempts(30)) == ["delivered"] * 30
    await desk.queue(made["endpoint_id"], 30)
    health = await desk.endpoints.get(made["endpoint_id"])
    assert health is not None
    assert timedelta(0) < health["not_before"] - desk.clock() <= timedelta(seconds=3)
    desk.clock.ahead += timedelta(seconds=3)
    await desk.attempts(60)
    await desk.close()
    assert len(receivers[0].seen) == 2


async def test_a_bots_refusal_inside_a_200_is_seen_and_its_wish_for_rest_is_kept(
    engine: AsyncEngine, receivers: list[Receiver]
) -> None:
    receivers.append(Receiver(WRONG_SIGN, TOO_FAST, TAKEN))
    desk = Desk(engine)
    made = await desk.endpoints.put(robot(receivers[0]))
    await desk.queue(made["endpoint_id"])
    [row] = await desk.attempts(1)
    assert (row["state"], row["attempts"][0]["status"]) == ("queued", 200)
    assert row["attempts"][0]["error"] == "refused: 310000 sign not match"
    desk.clock.ahead += timedelta(seconds=7)
    [row] = await desk.attempts(2)
    assert row["due_at"] - desk.clock() > timedelta(seconds=50)
    desk.clock.ahead += timedelta(seconds=80)
    assert states(await desk.attempts(3)) == ["delivered"]
    await desk.close()


async def test_a_page_that_fails_for_minutes_goes_to_the_next_contact(
    engine: AsyncEngine, receivers: list[Receiver]
) -> None:
    receivers += [Receiver((500, {})), Receiver()]
    desk = Desk(engine)
    first, second = [await desk.endpoints.add(one.url, []) for one in receivers]
    await desk.queue(first["endpoint_id"], purpose="paging", fallbacks=(second["endpoint_id"],))
    for attempt in range(1, schedule.PAGING_ATTEMPTS + 2):
        await desk.attempts(attempt)
        desk.clock.ahead += timedelta(seconds=150)
    rows = await desk.attempts(schedule.PAGING_ATTEMPTS + 2)
    await desk.close()
    found = {row["endpoint_id"]: row for row in rows}
    assert found[first["endpoint_id"]]["state"] == "dead"
    assert found[second["endpoint_id"]]["state"] == "delivered"
    assert found[second["endpoint_id"]]["person"] == "li"
    assert len(receivers[1].seen) == 1


async def test_a_page_does_not_wait_for_a_contact_that_is_known_to_be_broken(
    engine: AsyncEngine, receivers: list[Receiver]
) -> None:
    receivers.append(Receiver())
    desk = Desk(engine)
    broken, sound = [await desk.endpoints.add(url, []) for url in (NOWHERE, receivers[0].url)]
    await desk.queue(broken["endpoint_id"])
    for attempt in range(1, schedule.BREAK_AFTER + 1):
        await desk.attempts(attempt)
        desk.clock.ahead += timedelta(seconds=150)
    desk.clock.ahead += timedelta(seconds=400)
    await desk.attempts(schedule.BREAK_AFTER + 1)
    await desk.queue(broken["endpoint_id"], purpose="paging", fallbacks=(sound["endpoint_id"],))
    rows = await desk.attempts(schedule.BREAK_AFTER + 3)
    await desk.close()
    assert [row["state"] for row in rows if row["purpose"] == "paging"] == ["dead", "delivered"]
    assert len(receivers[0].seen) == 1


async def test_an_endpoint_that_failed_for_days_is_disabled_and_that_is_an_incident(
    engine: AsyncEngine, receivers: list[Receiver]
) -> None:
    receivers.append(Receiver((500, {})))
    desk = Desk(engine)
    made = await desk.endpoints.put(NewEndpoint(receivers[0].url, name="防汛群"))
    watcher = Receiver()
    receivers.append(watcher)
    await desk.endpoints.add(watcher.url, ["incident.opened"])
    await desk.queue(made["endpoint_id"], 2)
    await desk.attempts(1)
    desk.clock.ahead += verdict.ABANDON_AFTER + timedelta(minutes=1)
    rows = await desk.attempts(4)  # the second attempt, the other buried, the watcher told
    await desk.close()
    assert states([row for row in rows if row["endpoint_id"] == made["endpoint_id"]]) == [
        "dead", "dead",
    ]  # fmt: skip
    after = await desk.endpoints.get(made["endpoint_id"])
    assert after is not None
    assert not after["enabled"]
    [incident] = await all_incidents(engine)
    assert "防汛群" in incident.title
    assert json.loads(watcher.seen[0][1])["data"]["title"] == incident.title


async def test_while_a_secret_is_replaced_messages_verify_with_both(
    engine: AsyncEngine, receivers: list[Receiver]
) -> None:
    receivers.append(Receiver())
    desk = Desk(engine)
    made = await desk.endpoints.add(receivers[0].url, ["*"])
    new = await desk.endpoints.rotate(made["endpoint_id"])
    assert new is not None
    await desk.queue(made["endpoint_id"])
    await desk.attempts(1)
    desk.clock.ahead += timedelta(hours=25)
    await desk.queue(made["endpoint_id"])
    await desk.attempts(2)
    await desk.close()
    (headers, body), (later, _) = receivers[0].seen
    for secret in (made["secret"], new):
        assert Webhook(secret).verify(body, headers)
    assert " " in headers["webhook-signature"]
    assert " " not in later["webhook-signature"]


async def test_what_was_given_up_can_be_sent_again_one_or_many(
    engine: AsyncEngine, receivers: list[Receiver]
) -> None:
    receivers.append(Receiver(*[(500, {})] * 3, (200, {})))
    desk = Desk(engine)
    made = await desk.endpoints.add(receivers[0].url, ["*"])
    await desk.queue(made["endpoint_id"], 3, purpose="test")  # tried once each
    rows = await desk.attempts(3)
    assert states(rows) == ["dead"] * 3
    one = rows[0]["delivery_id"]
    assert await desk.endpoints.resend(Which(), one) == [one]
    await desk.attempts(4)
    assert len(await desk.endpoints.resend(Which(state="dead"))) == 2
    assert states(await desk.attempts(6)) == ["delivered"] * 3
    assert await desk.endpoints.resend(Which(state="dead")) == []
    await desk.endpoints.change(made["endpoint_id"], {"enabled": False})
    assert await desk.endpoints.resend(Which(), one) == []
    await desk.close()
    assert sorted(receivers[0].ids) == sorted([str(row["delivery_id"]) for row in rows] * 2)


async def test_a_test_message_says_how_it_went(
    engine: AsyncEngine, receivers: list[Receiver]
) -> None:
    receivers += [Receiver(), Receiver((403, {}))]
    desk = Desk(engine)
    probe = Probe(desk.endpoints, desk.clock, desk.wake)
    made = [await desk.endpoints.add(one.url, []) for one in receivers]
    well, refused = [await probe.test(one["endpoint_id"]) for one in made]
    await desk.close()
    assert (well["state"], well["type"]) == ("delivered", "test")
    assert (refused["state"], refused["attempts"][0]["error"]) == ("dead", "answered 403")


class Mailbox:
    """An SMTP server's handler that refuses one address."""

    def __init__(self) -> None:
        self.mails: list[bytes] = []

    async def handle_RCPT(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if address.startswith("nobody@"):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: Any, session: Any, envelope: Any
    ) -> str:
        self.mails.append(envelope.content)
        return "250 OK"


async def test_mail_is_handed_in_and_an_unknown_mailbox_is_given_up_at_once(
    engine: AsyncEngine,
) -> None:
    mailbox = Mailbox()
    port = free_port()
    server = Controller(mailbox, hostname="127.0.0.1", port=port)
    server.start()
    try:
        mail = MailSender(MailServer.parse(f"smtp://127.0.0.1:{port}", "city@example.org"))
        desk = Desk(engine, Posting(Sender(LOOPBACK), mail))
        for name in ("li", "nobody"):
            new = NewEndpoint(f"mailto:{name}@example.org", channel="email", language="en")
            made = await desk.endpoints.put(new)
            await desk.queue(made["endpoint_id"], body=TEST_BODY)
        rows = await desk.attempts(2)
        await desk.close()
    finally:
        server.stop()
    assert sorted((row["state"], row["attempts"][0]["status"]) for row in rows) == [
        ("dead", 550), ("delivered", 250),
    ]  # fmt: skip
    [mail_] = mailbox.mails
    assert b"From: city@example.org" in mail_
    assert b"To: li@example.org" in mail_
    assert b"Test message: this channel works" in mail_


async def test_without_a_mail_server_mail_is_refused_with_the_reason() -> None:
    posting = Posting(Sender(()), MailSender(None))
    assert await posting.reason_to_refuse("mailto:a@example.org") == NOT_SET_UP
    assert (await posting.post("mailto:a@example.org", {}, b"")).error == NOT_SET_UP
    await posting.close()
