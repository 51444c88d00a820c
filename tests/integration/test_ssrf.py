"""Where webhooks may not lead, whatever names and receivers say: on real sockets."""

import socket
from typing import Any

import pytest

from services.alerts.delivery.sender import Sender
from shared.store.embedded import free_port
from tests.integration.alerting import LOOPBACK, Receiver

PUBLIC, INSIDE = "93.184.216.34", "127.0.0.1"
Answers = list[list[str]]


def names(monkeypatch: pytest.MonkeyPatch, answers: Answers) -> list[str]:
    """Every name has these addresses, one answer after the other, the last for ever. What was
    asked."""
    asked: list[str] = []

    def getaddrinfo(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        found = answers[min(len(asked), len(answers) - 1)]
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in found]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


def port_of(receiver: Receiver) -> int:
    return int(receiver.url.split(":")[2].split("/")[0])


async def test_a_name_that_is_public_when_asked_and_inside_when_connected(
    receivers: list[Receiver], monkeypatch: pytest.MonkeyPatch
) -> None:
    receivers.append(Receiver())
    url = f"http://rebind.example.org:{port_of(receivers[0])}/"
    asked = names(monkeypatch, [[PUBLIC], [INSIDE]])
    sender = Sender(())
    assert await sender.reason_to_refuse(url) is None  # it looks well
    answer = await sender.post(url, {}, b"{}")
    await sender.close()
    assert (answer.status, "not a public address" in answer.error) == (None, True)
    assert asked == ["rebind.example.org"] * 2  # what was judged is what is connected to
    assert receivers[0].seen == []


@pytest.mark.parametrize(
    "inside",
    [
        INSIDE, "10.0.0.1", "169.254.169.254", "100.64.0.1", "192.168.0.1", "0.0.0.0", "224.0.0.1",
        "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "fe80::1", "fc00::1",
    ],
)  # fmt: skip
async def test_a_name_that_leads_inside_only(inside: str, monkeypatch: pytest.MonkeyPatch) -> None:
    names(monkeypatch, [[inside]])
    sender = Sender(())
    answer = await sender.post("http://inside.example.org/", {}, b"{}")
    await sender.close()
    assert (answer.status, "not a public address" in answer.error) == (None, True)


async def test_of_several_addresses_only_the_allowed_are_tried(
    receivers: list[Receiver], monkeypatch: pytest.MonkeyPatch
) -> None:
    receivers.append(Receiver())
    names(monkeypatch, [["10.9.8.7", INSIDE]])
    sender = Sender(LOOPBACK)
    answer = await sender.post(f"http://both.example.org:{port_of(receivers[0])}/", {}, b"{}")
    await sender.close()
    assert answer.status == 200


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_leads_nowhere(receivers: list[Receiver], status: int) -> None:
    receivers.append(Receiver())
    receivers.append(Receiver((status, {"location": receivers[0].url})))
    sender = Sender(LOOPBACK)
    answer = await sender.post(receivers[1].url, {}, b"{}")
    await sender.close()
    assert (answer.status, answer.delivered) == (status, False)
    assert receivers[0].seen == []


async def test_proxies_of_the_environment_are_not_asked(
    receivers: list[Receiver], monkeypatch: pytest.MonkeyPatch
) -> None:
    receivers.append(Receiver())
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, receivers[0].url)
    sender = Sender(LOOPBACK)
    answer = await sender.post(f"http://127.0.0.1:{free_port()}/", {}, b"{}")
    await sender.close()
    assert answer.status is None
    assert receivers[0].seen == []
