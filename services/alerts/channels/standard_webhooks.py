"""Standard Webhooks 1.0.0: secrets and signatures, ours and others'. Pure but for new secrets."""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime

TOLERANCE_SECONDS = 300  # between the sender's clock and ours
SECRET_BYTES_AT_LEAST = 24
_PREFIX = "whsec_"


def new_secret() -> str:
    """A fresh secret of 24 random bytes."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(24)).decode()


def reason_to_refuse(secret: str) -> str | None:
    """Why somebody else's secret cannot be used; None: it can."""
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(_PREFIX) or len(key) < SECRET_BYTES_AT_LEAST:
        return f"a secret is {_PREFIX} and at least {SECRET_BYTES_AT_LEAST} bytes in base64"
    return None


def reason_to_distrust(
    signing: Sequence[str], said: Mapping[str, str], now: datetime, body: bytes
) -> str | None:
    """Why a message with these headers is not from who knows one of the secrets, or not of now;
    None: it is."""
    message_id, timestamp = said.get("webhook-id", ""), said.get("webhook-timestamp", "")
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12 and message_id):
        return "webhook-id and webhook-timestamp (seconds since 1970) are needed"
    signed = f"{message_id}.{timestamp}.".encode() + body
    given = [one.encode() for one in said.get("webhook-signature", "").split()]
    wanted = [_signature(secret, signed).encode() for secret in signing if secret]
    if not any(hmac.compare_digest(one, other) for one in given for other in wanted):
        return "webhook-signature is not of this body, by the secret that we share"
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE_SECONDS:
        return f"webhook-timestamp is more than {TOLERANCE_SECONDS} s from our clock"
    return None


def headers(
    signing: Sequence[str],
    message_id: str,
    now: datetime,
    body: bytes,
    content_type: str = "application/json",
) -> dict[str, str]:
    """The headers of one attempt, signed with each secret (two while one is being replaced);
    `message_id` stays the same over attempts."""
    timestamp = str(int(now.timestamp()))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(_signature(secret, signed) for secret in signing),
        "content-type": content_type,
        "user-agent": "Yiwang-Webhooks/1",
    }


def _signature(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
