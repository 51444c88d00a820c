"""Signatures against the reference package, retries, and where a webhook may not go."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from uuid import uuid4

import pytest
from standardwebhooks import Webhook

from services.alerts.delivery import signing
from services.alerts.delivery.deliverer import Delivery, judge
from services.alerts.delivery.guard import reason_to_refuse, reason_to_refuse_url
from services.alerts.delivery.sender import Answer

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def test_the_reference_package_verifies_our_signature() -> None:
    secret = signing.new_secret()
    body = '{"type":"incident.opened","data":{"title":"燃气"}}'
    headers = signing.headers(secret, "msg-1", datetime.now(UTC), body)
    assert Webhook(secret).verify(body, headers)
    with pytest.raises(Exception, match="signature"):
        Webhook(secret).verify(body + " ", headers)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "0.0.0.0", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1",
        "2002:7f00:1::", "2002:c0a8:101::", "::7f00:1", "fe80::1%eth0", "2001::1",
        "64:ff9b:1::7f00:1", "64:ff9b:1:7f00:1::", "::ffff:0:7f00:1", "not-an-address",
    ],
)  # fmt: skip
def test_addresses_inside_are_refused(address: str) -> None:
    assert reason_to_refuse(address, ()) is not None


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "64:ff9b::808:808"])
def test_public_addresses_are_fine(address: str) -> None:
    assert reason_to_refuse(address, ()) is None


def test_a_network_can_be_allowed() -> None:
    allowed = (ip_network("10.20.0.0/16"),)
    assert reason_to_refuse("10.20.3.4", allowed) is None
    assert reason_to_refuse("::ffff:10.20.3.4", allowed) is None
    assert reason_to_refuse("10.21.0.1", allowed) is not None


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org/x", "http://", "http://user:pw@example.org/", "http://127.0.0.1/",
        "http://[::1]:80/", "http://localhost:9/", "http://a.localhost/", "http://x:99999/",
        "http://example.org:0/", "file:///etc/passwd", "nonsense", "http://localhost./x",
        "http://127.0.0.1./", "http://a b/", "http://example.org/\x00", "http://[::1/", "",
        "HTTP://user@example.org/", "gopher://example.org/", "//example.org/x",
    ],
)  # fmt: skip
def test_urls_that_are_refused_at_once(url: str) -> None:
    assert reason_to_refuse_url(url, ()) is not None


def test_a_name_is_judged_when_it_is_connected() -> None:
    assert reason_to_refuse_url("https://hooks.example.org/x", ()) is None


def delivery(attempts: int) -> Delivery:
    return Delivery(uuid4(), uuid4(), "http://x", signing.new_secret(), "{}", attempts)


def test_only_2xx_is_delivered() -> None:
    assert judge(delivery(0), Answer(204), NOW, 0.1).state == "delivered"
    for status in (199, 301, 400, 404, 429, 500):
        assert judge(delivery(0), Answer(status), NOW, 0.1).state == "queued"


def test_gone_disables_the_endpoint() -> None:
    attempt = judge(delivery(0), Answer(410), NOW, 0.1)
    assert (attempt.state, attempt.disable_endpoint) == ("dead", True)


def test_the_first_retry_comes_within_six_seconds_and_the_last_gives_up() -> None:
    first = judge(delivery(0), Answer(None, "refused"), NOW, 0.0)
    assert first.due_at is not None
    assert timedelta(seconds=4) <= first.due_at - NOW <= timedelta(seconds=6)
    assert judge(delivery(len(signing.RETRY_SECONDS)), Answer(500), NOW, 0.1).state == "dead"


@pytest.mark.parametrize(
    ("status", "asked", "seconds"),
    [
        (429, "600", 600),
        (503, "600", 600),
        (503, "Fri, 01 May 2026 00:10:01 GMT", 600),
        (429, "Fri, 01 May 2020 00:00:00 GMT", 5),
        (429, "9" * 5000, 86_400),
        (429, "soon", 5),
        (429, "-5", 5),
        (429, "٣", 5),
        (500, "600", 5),
    ],
)
def test_retry_after_is_honoured(status: int, asked: str, seconds: float) -> None:
    attempt = judge(delivery(0), Answer(status, retry_after=asked), NOW, 1.0)
    assert attempt.due_at is not None
    assert (attempt.due_at - NOW).total_seconds() == pytest.approx(seconds + 1, abs=1.01)


def test_the_wait_begins_when_the_attempt_has_ended() -> None:
    attempt = judge(delivery(0), Answer(None, "no answer"), NOW, 15.0)
    assert attempt.due_at is not None
    assert attempt.due_at - NOW >= timedelta(seconds=19)
