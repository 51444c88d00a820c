"""Messages of every channel against recorded ones, their sizes, and what bots answer.

`YIWANG_WRITE_GOLDEN=1` records anew; read the difference before it is committed.
"""

import base64
import hashlib
import hmac
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alerts.channels import wording
from services.alerts.channels.channel import Body, Language, Message, Target
from services.alerts.channels.registry import CHANNELS, named

GOLDEN = Path(__file__).parent / "golden"
NOW = datetime(2026, 5, 1, 8, 30, tzinfo=UTC)
URLS = {
    "dingtalk": "https://oapi.dingtalk.com/robot/send?access_token=t",
    "feishu": "https://open.feishu.cn/open-apis/bot/v2/hook/t",
    "wecom": "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=t",
    "email": "mailto:li@example.org",
}
SECRETS = {"webhook": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "dingtalk": "SECx", "feishu": "fx"}
LINKS = {
    "open": "https://city.example.org/console/incidents/1",
    "acknowledge": "https://city.example.org/v1/links/a.b.c",
    "resolve": "https://city.example.org/v1/links/d.e.f",
}


def incident(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "id": f"00000000-0000-5000-8000-{number:012d}",
        "title": f"水位超警戒 · 西江高要站 {number}",
        "state": "open", "alert_state": "active", "grade": 2, "priority": 1, "area_id": "441204",
        "subjects": ["XJ-GY-01"], "rule_id": "river-level", "rule_version": 3,
        "metric": "water.level", "value": 10.52, "threshold": 10.0,
        "opened_at": "2026-05-01T08:25:01Z", "updated_at": "2026-05-01T08:25:01Z",
        "observed_at": "2026-05-01T08:25:00Z", "deadline_at": "2026-05-01T09:25:01Z",
        "department": "water", "version": 1,
    } | fields  # fmt: skip


def event(data: dict[str, Any], kind: str = "incident.opened") -> Body:
    return {"type": kind, "timestamp": "2026-05-01T08:25:01Z", "data": data}


def page(count: int, more: int = 0) -> Body:
    incidents = [incident(number) for number in range(1, count + 1)]
    data = {
        "page_id": "00000000-0000-5000-8000-00000000aaaa",
        "person": {"person_id": "li", "name": "李工"},
        "firing": count + more, "resolved": 0, "reason": "new", "incidents": incidents,
        "more": more, "links": {one["id"]: LINKS for one in incidents},
    }  # fmt: skip
    return {"type": "page", "timestamp": "2026-05-01T08:25:31Z", "data": data}


BODIES: dict[str, list[Body]] = {
    "opened": [event(incident(1))],
    "page": [page(2, more=3)],
    "test": [{"type": "test", "timestamp": "2026-05-01T08:25:01Z", "data": {"endpoint_id": "e"}}],
}


def made(channel: str, bodies: list[Body], language: Language = "zh") -> Message:
    secrets = (SECRETS[channel],) if channel in SECRETS else ()
    target = Target(URLS.get(channel, "https://example.org/hook"), secrets, language)
    return named(channel).message(target, "00000000-0000-5000-8000-0000000000ff", bodies, NOW)


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("case", BODIES)
@pytest.mark.parametrize("channel", sorted(CHANNELS.keys() - {"cap"}))  # no incident leaves there
def test_the_message_is_the_recorded_one(channel: str, case: str, language: Language) -> None:
    message = made(channel, BODIES[case], language)
    written = {"url": message.url, "headers": message.headers, "body": message.body.decode()}
    found = json.dumps(written, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    recorded = GOLDEN / f"{channel}-{case}-{language}.json"
    if os.environ.get("YIWANG_WRITE_GOLDEN"):
        recorded.write_text(found)
    assert found == recorded.read_text()


LIMITS = {"dingtalk": 20_000, "feishu": 20_000, "wecom": 2_048}


@given(
    st.lists(st.tuples(st.text(max_size=300), st.integers(1, 50)), min_size=1, max_size=20),
    st.sampled_from(["zh", "en"]),
)
def test_no_message_is_ever_too_long_or_without_its_first_line(
    said: list[tuple[str, int]], language: Language
) -> None:
    bodies = [page(count) for _, count in said]
    bodies += [event(incident(1, title=title or "?")) for title, _ in said]
    for channel in ("dingtalk", "feishu", "wecom"):
        body = json.loads(made(channel, bodies, language).body)
        content = body["text"]["content"] if "text" in body else body["content"]["text"]
        assert len(content.encode()) <= LIMITS[channel]
        assert content.startswith(wording.say(bodies[0], language).headline)


def test_what_does_not_fit_is_counted_and_links_are_never_cut() -> None:
    content = json.loads(made("wecom", [page(50, more=7)]).body)["text"]["content"]
    kept = content.count("■")
    assert 1 <= kept < 50
    assert content.endswith(f"… 另有 {50 - kept + 7} 条")
    assert content.count(LINKS["acknowledge"]) == content.count(LINKS["resolve"]) == kept


def test_a_title_from_outside_is_neither_markup_nor_a_header() -> None:
    title = "<!channel> <https://evil.example|here>\r\nBcc: all@example.org\r\n\r\n*x*"
    bodies = [event(incident(1, title=title))]
    assert "<" not in json.loads(made("slack", bodies).body)["text"]
    mail = made("email", bodies).body
    head = mail.split(b"\r\n\r\n")[0]
    assert not [line for line in head.split(b"\r\n") if line.lower().startswith(b"bcc")]


@pytest.mark.parametrize(
    ("channel", "answer", "throttled", "final"),
    [
        ("dingtalk", '{"errcode":130101,"errmsg":"send too fast"}', True, False),
        ("dingtalk", '{"errcode":310000,"errmsg":"sign not match"}', False, False),
        ("feishu", '{"code":11232,"msg":"too many request"}', True, False),
        ("feishu", '{"code":9499,"msg":"Bad Request"}', False, True),
        ("feishu", '{"code":19021,"msg":"sign match fail"}', False, False),
        ("wecom", '{"errcode":45009,"errmsg":"api freq out of limit"}', True, False),
        ("wecom", '{"errcode":93000,"errmsg":"invalid webhook url"}', False, True),
        ("wecom", "<html>not a bot</html>", False, False),
        ("dingtalk", "[]", False, False),
        ("dingtalk", "{}", False, False),
        ("dingtalk", "[" * 100_000, False, False),
    ],
)
def test_a_refusal_inside_a_200(channel: str, answer: str, throttled: bool, final: bool) -> None:
    refusal = named(channel).refusal(answer.encode())
    assert refusal is not None
    assert (refusal.throttled, refusal.final) == (throttled, final)


@pytest.mark.parametrize(
    ("channel", "answer"),
    [
        ("dingtalk", '{"errcode":0,"errmsg":"ok"}'),
        ("feishu", '{"code":0,"msg":"success","data":{}}'),
        ("feishu", '{"Extra":null,"StatusCode":0,"StatusMessage":"success"}'),
        ("wecom", '{"errcode":0,"errmsg":"ok"}'),
        ("slack", "ok"),
        ("webhook", ""),
    ],
)
def test_an_acceptance(channel: str, answer: str) -> None:
    assert named(channel).refusal(answer.encode()) is None


def test_dingtalk_signs_the_url_as_its_documentation_says() -> None:
    found = parse_qs(urlsplit(made("dingtalk", BODIES["test"]).url).query)
    assert found["timestamp"] == ["1777624200000"]
    expected = hmac.new(b"SECx", b"1777624200000\nSECx", hashlib.sha256).digest()
    assert base64.b64decode(found["sign"][0]) == expected


def test_feishu_signs_with_the_time_and_secret_as_key_of_nothing() -> None:
    body = json.loads(made("feishu", BODIES["test"]).body)
    expected = hmac.new(b"1777624200\nfx", b"", hashlib.sha256).digest()
    assert (body["timestamp"], base64.b64decode(body["sign"])) == ("1777624200", expected)


@pytest.mark.parametrize(
    ("channel", "url"),
    [
        ("dingtalk", "https://oapi.dingtalk.com/robot/send"),
        ("feishu", "https://open.feishu.cn/"),
        ("wecom", "https://qyapi.weixin.qq.com/cgi-bin/webhook/send"),
        ("email", "https://example.org/"),
        ("email", "mailto:nobody"),
        ("email", "mailto:a@example.org,b@example.org"),
        ("email", "mailto:a@example.org%0d%0aBcc:b@example.org"),
    ],
)
def test_a_url_that_cannot_be_this_channels(channel: str, url: str) -> None:
    assert named(channel).reason_to_refuse(Target(url, ())) is not None


@pytest.mark.parametrize("channel", sorted(URLS))
def test_a_url_that_can(channel: str) -> None:
    assert named(channel).reason_to_refuse(Target(URLS[channel], ())) is None


def test_alertmanager_tells_the_newest_of_each_incident() -> None:
    bodies = [event(incident(1)), event(incident(2)), event(incident(1, state="resolved"))]
    payload = json.loads(made("alertmanager", bodies).body)
    assert [alert["status"] for alert in payload["alerts"]] == ["resolved", "firing"]
    assert payload["status"] == "firing"
    assert payload["commonLabels"]["alertname"] == "river-level"
