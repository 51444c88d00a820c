"""Standard Webhooks 1.0.0: secrets, headers, retries. Pure but for new secrets."""

import base64
import hashlib
import hmac
import secrets
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

# Paging first: somebody waits. Then as integrations are: the receiver may be down for a day.
RETRY_SECONDS = (5, 15, 30, 60, 120, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
PAGING_ATTEMPTS = 5  # how many of them are quick
DAY_SECONDS = 86_400
_PREFIX = "whsec_"


def new_secret() -> str:
    """A fresh secret of 24 random bytes."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(24)).decode()


def headers(secret: str, message_id: str, now: datetime, body: str) -> dict[str, str]:
    """The headers of one attempt; `message_id` stays the same over retries."""
    timestamp = str(int(now.timestamp()))
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    signed = f"{message_id}.{timestamp}.{body}".encode()
    signature = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{signature}",
        "content-type": "application/json",
        "user-agent": "Yiwang-Webhooks/1",
    }


def seconds_to_wait(attempts: int, asked_seconds: float, jitter: float) -> float | None:
    """Seconds until the next attempt after `attempts` failed ones; None: give up.

    `jitter` in [-0.2, 0.2] spreads receivers' load; what the receiver asked for is honoured up to
    a day.
    """
    if attempts > len(RETRY_SECONDS):
        return None
    planned = RETRY_SECONDS[attempts - 1] * (1 + jitter)
    return max(planned, min(asked_seconds, DAY_SECONDS))


def seconds_asked(retry_after: str, now: datetime) -> float:
    """A Retry-After header, seconds or an HTTP date, as seconds from `now`; 0 for neither."""
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after[:9])
    try:
        moment = parsedate_to_datetime(retry_after)
    except (ValueError, TypeError, IndexError, OverflowError):
        return 0.0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())
