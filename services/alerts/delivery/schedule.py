"""When a delivery is tried again, and when its endpoint is left alone. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from services.alerts.channels.channel import Pace
from services.alerts.outgoing import Purpose

# Paging first: somebody waits. Then as integrations are: the receiver may be down for a day.
RETRY_SECONDS = (5, 15, 30, 60, 120, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
PAGING_ATTEMPTS = 5  # how many of them are quick; a page is tried no longer
DAY_SECONDS = 86_400
BREAK_AFTER = 5  # failures one after another, then the endpoint is only probed now and then
PROBE_SECONDS, PROBE_AT_MOST = 30.0, 600.0
THROTTLED_SECONDS = 60.0  # for a bot that says "too fast" without saying how long
_TRIES = {"integration": len(RETRY_SECONDS), "paging": PAGING_ATTEMPTS, "test": 0}


def seconds_to_wait(
    tries: int, asked_seconds: float, jitter: float, purpose: Purpose = "integration"
) -> float | None:
    """Seconds until the next attempt after `tries` failed ones; None: give up.

    `jitter` in [-0.2, 0.2] spreads receivers' load; what the receiver asked for is honoured up to
    a day.
    """
    if tries > _TRIES[purpose]:
        return None
    planned = RETRY_SECONDS[tries - 1] * (1 + jitter)
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


def seconds_between(paces: Sequence[Pace]) -> float:
    """The distance of messages that keeps every pace, whoever sends them; 0 for no pace."""
    return max((pace.seconds / pace.messages for pace in paces), default=0.0)


def seconds_until_probe(failures: int) -> float:
    """How long an endpoint is left alone after so many failures in a row; 0: not at all."""
    if failures < BREAK_AFTER:
        return 0.0
    return float(min(PROBE_SECONDS * 2 ** min(failures - BREAK_AFTER, 10), PROBE_AT_MOST))
