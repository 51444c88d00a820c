"""Standard Webhooks 1.0.0: secrets and signatures. Pure but for new secrets."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime

_PREFIX = "whsec_"


def new_secret() -> str:
    """A fresh secret of 24 random bytes."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(24)).decode()


def headers(signing: Sequence[str], message_id: str, now: datetime, body: bytes) -> dict[str, str]:
    """The headers of one attempt, signed with each secret (two while one is being replaced);
    `message_id` stays the same over attempts."""
    timestamp = str(int(now.timestamp()))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(_signature(secret, signed) for secret in signing),
        "content-type": "application/json",
        "user-agent": "Yiwang-Webhooks/1",
    }


def _signature(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
