"""An answer on its way out: untouched for who is cleared, disclosed for others, refused where it
cannot be."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from shared.clock import system_clock
from shared.disclosure.files import declaration
from shared.disclosure.level import Level
from shared.web.accesses import Accesses
from shared.web.disclosing import Disclosing, remember_identity
from shared.web.identity import Grant, Identity

BODY = b'{ "items": [ {"sensor_id": "a", "retired": false} ], "next": null }'


class Unwritten(Accesses):
    """Counts only."""

    def __init__(self) -> None:
        super().__init__(None, system_clock)  # type: ignore[arg-type]

    @property
    def seen(self) -> list[tuple[str, Level]]:
        return [(key.dataset, key.level) for key in self._waiting]


def person(role: str) -> Identity:
    grants = (Grant(role),) if role else ()
    return Identity("person", "li", role, frozenset(), "person:li", grants=grants)


async def asked(
    who: Identity | None,
    media: str = "application/json",
    status: int = 200,
    method: str = "GET",
    query: bytes = b"",
) -> tuple[list[Message], Unwritten]:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scope["route"] = SimpleNamespace(path="/v1/sensors")
        if who is not None:
            remember_identity(scope, who)
        headers = [(b"content-type", media.encode()), (b"content-length", b"%d" % len(BODY))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": BODY[:9], "more_body": True})
        await send({"type": "http.response.body", "body": BODY[9:]})

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        raise AssertionError("nobody reads")

    accesses = Unwritten()
    scope: dict[str, Any] = {"type": "http", "method": method, "path": "/v1/sensors", "state": {},
                             "query_string": query}  # fmt: skip
    await Disclosing(app, declaration(), accesses)(scope, receive, send)
    return sent, accesses


@pytest.mark.parametrize("role", ["viewer", "operator", "dispatcher", "admin"])
async def test_who_is_cleared_gets_the_same_bytes_as_they_come(role: str) -> None:
    sent, accesses = await asked(person(role))
    assert [message.get("body") for message in sent] == [None, BODY[:9], BODY[9:]]
    assert accesses.seen == [("sensors", Level.INTERNAL)]


async def test_others_get_what_they_may_be_told_and_its_length() -> None:
    sent, accesses = await asked(None)
    body = b"".join(message.get("body", b"") for message in sent)
    assert json.loads(body) == {"items": [{"sensor_id": "a"}], "next": None}
    assert dict(sent[0]["headers"])[b"content-length"] == b"%d" % len(body)
    assert accesses.seen == []


async def test_a_choice_by_what_one_may_not_be_told_is_refused() -> None:
    query = b"limit=5&bbox=112.3,22.9,112.7,23.2"
    sent, _ = await asked(None, query=query)
    problem = json.loads(sent[1]["body"])
    assert (sent[0]["status"], problem["code"]) == (403, "level")
    assert problem["detail"] == "You are not cleared for sensors.lat: `bbox` would tell it."
    assert (await asked(None, query=b"limit=5&q=gas"))[0][0]["status"] == 200
    assert (await asked(person("viewer"), query=query))[0][0]["status"] == 200


async def test_a_form_that_cannot_be_disclosed_is_refused() -> None:
    sent, _ = await asked(person(""), media="text/csv")
    assert sent[0]["status"] == 403
    assert json.loads(b"".join(m.get("body", b"") for m in sent))["code"] == "level"


async def test_a_refusal_passes_and_is_no_access() -> None:
    sent, accesses = await asked(None, media="application/problem+json", status=404)
    body = b"".join(message.get("body", b"") for message in sent)
    assert json.loads(body) == json.loads(BODY) and accesses.seen == []
