"""Chat bots of DingTalk, Feishu and WeCom, and Slack's incoming webhooks: plain text, paced, and
their refusals inside a 200."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote_plus, urlsplit

from services.alerts.channels import wording
from services.alerts.channels.channel import Body, Message, Pace, Refusal, Target

_JSON = {"content-type": "application/json; charset=utf-8", "user-agent": "Yiwang-Webhooks/1"}


class DingTalk:
    """钉钉 custom robot. The secret (`SEC…`), where its security setting is 加签, signs the URL."""

    name = "dingtalk"
    paces: Sequence[Pace] = (Pace(20, 60.0),)
    batches = 50
    _limit = 18_000  # of 20,000 bytes; the rest is JSON around it

    def reason_to_refuse(self, target: Target) -> str | None:
        """See `Channel`."""
        return _without(target.url, "access_token=", "a DingTalk robot's URL has an access_token")

    def message(
        self, target: Target, message_id: str, bodies: Sequence[Body], now: datetime
    ) -> Message:
        """See `Channel`."""
        url = target.url
        if target.secrets:
            stamp = str(int(now.timestamp() * 1000))
            signed = f"{stamp}\n{target.secrets[0]}".encode()
            digest = hmac.new(target.secrets[0].encode(), signed, hashlib.sha256).digest()
            url += f"&timestamp={stamp}&sign={quote_plus(base64.b64encode(digest))}"
        content = wording.text(bodies, target.language, self._limit)
        return _json(url, {"msgtype": "text", "text": {"content": content}}, target)

    def refusal(self, body: bytes) -> Refusal | None:
        """130101: too fast; 300001, 40035…: never."""
        return _refusal(body, ("errcode",), throttled={130101, 90030}, final={40035, 300001})


class Feishu:
    """飞书 custom bot. The secret, where 签名校验 is on, signs the body."""

    name = "feishu"
    paces: Sequence[Pace] = (Pace(5, 1.0), Pace(100, 60.0))
    batches = 50
    _limit = 18_000

    def reason_to_refuse(self, target: Target) -> str | None:
        """See `Channel`."""
        return _without(target.url, "/hook/", "a Feishu bot's URL ends in /open-apis/bot/v2/hook/…")

    def message(
        self, target: Target, message_id: str, bodies: Sequence[Body], now: datetime
    ) -> Message:
        """See `Channel`."""
        content = wording.text(bodies, target.language, self._limit)
        body: dict[str, Any] = {"msg_type": "text", "content": {"text": content}}
        if target.secrets:
            stamp = str(int(now.timestamp()))
            key = f"{stamp}\n{target.secrets[0]}".encode()
            digest = hmac.new(key, b"", hashlib.sha256).digest()
            body = {"timestamp": stamp, "sign": base64.b64encode(digest).decode()} | body
        return _json(target.url, body, target)

    def refusal(self, body: bytes) -> Refusal | None:
        """11232: too fast; 9499: a malformed message."""
        return _refusal(body, ("code", "StatusCode"), throttled={11232, 11233}, final={9499})


class WeCom:
    """企业微信 group robot. Its key is in the URL."""

    name = "wecom"
    paces: Sequence[Pace] = (Pace(20, 60.0),)
    batches = 20
    _limit = 2_048

    def reason_to_refuse(self, target: Target) -> str | None:
        """See `Channel`."""
        return _without(target.url, "key=", "a WeCom robot's URL has a key")

    def message(
        self, target: Target, message_id: str, bodies: Sequence[Body], now: datetime
    ) -> Message:
        """See `Channel`."""
        content = wording.text(bodies, target.language, self._limit)
        return _json(target.url, {"msgtype": "text", "text": {"content": content}}, target)

    def refusal(self, body: bytes) -> Refusal | None:
        """45009: too fast; 93000: no such robot."""
        return _refusal(body, ("errcode",), throttled={45009, 45033}, final={93000, 40008, 40058})


class Slack:
    """Slack's incoming webhooks, and those of Mattermost and Rocket.Chat."""

    name = "slack"
    paces: Sequence[Pace] = (Pace(1, 1.0),)
    batches = 20
    _limit = 12_000

    def reason_to_refuse(self, target: Target) -> str | None:
        """See `Channel`."""
        return None

    def message(
        self, target: Target, message_id: str, bodies: Sequence[Body], now: datetime
    ) -> Message:
        """See `Channel`. Nothing of a title is markup or a mention."""
        words = wording.text(bodies, target.language, self._limit)
        for sign, written in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
            words = words.replace(sign, written)
        return _json(target.url, {"text": words, "mrkdwn": False}, target)

    def refusal(self, body: bytes) -> Refusal | None:
        """The status says it all."""
        return None


def _json(url: str, body: Mapping[str, Any], target: Target) -> Message:
    raw = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    return Message(url, _JSON, raw)


def _without(url: str, part: str, reason: str) -> str | None:
    parts = urlsplit(url)
    return None if part in f"{parts.path}?{parts.query}" else reason


def _refusal(
    body: bytes, names: Sequence[str], *, throttled: set[int], final: set[int]
) -> Refusal | None:
    """What a bot's code says; an answer without one is no acceptance either."""
    try:
        said = json.loads(body)
        code = next(said[name] for name in names if name in said)
    except (ValueError, TypeError, StopIteration, RecursionError):
        return Refusal("the bot's answer has no code: is this its URL?")
    if code == 0:
        return None
    reason = str(said.get("errmsg") or said.get("msg") or "")[:200]
    return Refusal(f"{code} {reason}".strip(), code in throttled, code in final)
