"""Signatures against the reference package, retries, and where a webhook may not go."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from uuid import uuid4

import pytest
from standardwebhooks import Webhook

from services.alerts.channels import standard_webhooks
from services.alerts.channels.channel import Refusal
from services.alerts.delivery import schedule, verdict
from services.alerts.delivery.guard import reason_to_refuse, reason_to_refuse_url
from services.alerts.delivery.sender import Answer
from services.alerts.delivery.verdict import Attempt, Health, Outcome, Parcel, Queued
from services.alerts.outgoing import Purpose

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def test_the_reference_package_verifies_our_signature() -> None:
    secret = standard_webhooks.new_secret()
    body = '{"type":"incident.opened","data":{"title":"燃气"}}'.encode()
    headers = standard_webhooks.headers([secret], "msg-1", datetime.now(UTC), body)
    assert Webhook(secret).verify(body, headers)
    with pytest.raises(Exception, match="signature"):
        Webhook(secret).verify(body + b" ", headers)


def test_while_a_secret_is_replaced_both_verify_it_and_no_other() -> None:
    new, old = standard_webhooks.new_secret(), standard_webhooks.new_secret()
    headers = standard_webhooks.headers([new, old], "msg-1", datetime.now(UTC), b"{}")
    for secret in (new, old):
        assert Webhook(secret).verify(b"{}", headers) == {}
    with pytest.raises(Exception, match="signature"):
        Webhook(standard_webhooks.new_secret()).verify(b"{}", headers)


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


def attempt(
    answer: Answer,
    tries: int = 0,
    *,
    seconds: float = 0.1,
    refusal: Refusal | None = None,
    purpose: Purpose = "integration",
) -> Attempt:
    queued = Queued(uuid4(), "{}", tries, purpose)
    return verdict.judge(queued, Outcome(answer, refusal, NOW, seconds), 0.0)


def seconds_until(found: Attempt) -> float:
    assert found.due_at is not None
    return (found.due_at - NOW).total_seconds()


def test_only_2xx_is_delivered() -> None:
    assert attempt(Answer(204)).state == "delivered"
    for status in (199, 301, 400, 404, 429, 500):
        assert attempt(Answer(status)).state == "queued"


def test_the_first_retry_comes_after_five_seconds_and_the_last_gives_up() -> None:
    assert seconds_until(attempt(Answer(None, "refused"), seconds=0)) == 5
    assert attempt(Answer(500), len(schedule.RETRY_SECONDS)).state == "dead"


def test_a_page_is_given_up_within_minutes_and_a_test_at_once() -> None:
    waits = []
    for tries in range(schedule.PAGING_ATTEMPTS):
        waits.append(seconds_until(attempt(Answer(500), tries, seconds=0, purpose="paging")))
    assert sum(waits) <= 300
    assert attempt(Answer(500), len(waits), purpose="paging").state == "dead"
    assert attempt(Answer(500), purpose="test").state == "dead"


def test_a_refusal_inside_a_200_is_no_delivery() -> None:
    found = attempt(Answer(200), refusal=Refusal("sign not match"))
    assert (found.state, found.error) == ("queued", "refused: sign not match")
    assert attempt(Answer(200), refusal=Refusal("too long", final=True)).state == "dead"
    throttled = attempt(Answer(200), refusal=Refusal("too fast", throttled=True), seconds=0)
    assert seconds_until(throttled) == schedule.THROTTLED_SECONDS


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
    found = attempt(Answer(status, retry_after=asked), seconds=1.0)
    assert seconds_until(found) == pytest.approx(seconds + 1, abs=1.01)


def test_the_wait_begins_when_the_attempt_has_ended() -> None:
    assert seconds_until(attempt(Answer(None, "no answer"), seconds=15.0)) == 20


def health(
    answer: Answer,
    failures: int = 0,
    *,
    since: datetime | None = None,
    seconds: float = 0.0,
    refusal: Refusal | None = None,
    spacing: float = 0.0,
) -> Health:
    parcel = Parcel(uuid4(), "http://x", "webhook", "zh", {}, (), failures, since, ())
    return verdict.health(parcel, Outcome(answer, refusal, NOW, seconds), spacing)


def test_who_fails_again_and_again_is_probed_ever_more_rarely() -> None:
    waits = [health(Answer(500), failures).not_before for failures in range(12)]
    assert waits[: schedule.BREAK_AFTER - 1] == [None] * (schedule.BREAK_AFTER - 1)
    later = [(moment - NOW).total_seconds() for moment in waits if moment is not None]
    assert later == sorted(later)
    assert (later[0], later[-1]) == (schedule.PROBE_SECONDS, schedule.PROBE_AT_MOST)


@pytest.mark.parametrize("status", [200, 204, 400, 413, 422])
def test_an_answer_that_shows_a_sound_receiver_forgets_its_failures(status: int) -> None:
    assert health(Answer(status), 9, since=NOW - timedelta(hours=1)) == Health(0, None, False, None)


def test_after_days_of_failure_or_a_410_a_receiver_is_given_up() -> None:
    long_ago = NOW - verdict.ABANDON_AFTER
    assert not health(Answer(500), 9, since=long_ago + timedelta(seconds=1)).abandoned
    assert "answered 500" in health(Answer(500), 9, since=long_ago).abandoned
    assert health(Answer(410)).abandoned.startswith("410")
    assert attempt(Answer(410)).state == "dead"


def test_a_throttling_receiver_is_left_alone_but_is_not_failing() -> None:
    found = health(Answer(429, retry_after="90"), 2)
    assert (found.failures, found.not_before) == (2, NOW + timedelta(seconds=90))
    found = health(Answer(200), refusal=Refusal("too fast", throttled=True))
    assert found.not_before == NOW + timedelta(seconds=schedule.THROTTLED_SECONDS)


def test_a_pace_is_kept_after_every_message() -> None:
    assert health(Answer(200), spacing=3.0).not_before == NOW + timedelta(seconds=3)
    assert health(Answer(500), spacing=3.0).not_before == NOW + timedelta(seconds=3)


def test_a_slow_receiver_is_known_as_slow() -> None:
    assert health(Answer(200), seconds=verdict.SLOW_SECONDS + 1).slow
    assert not health(Answer(200), seconds=0.5).slow
