"""Which alerts belong together: the key, and the session in event time. Pure.

Two alerts of one key belong together when they were raised within `GAP` of each other, or when one
is the other again (same rule and subject) within `GAP` of its clearing; and so on from alert to
alert. So the same alerts make the same incidents in whatever order they arrive. The first raised
gives the incident its id.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from services.alerts.incidents.alert import Alert
from services.alerts.judging.transition import Place
from services.alerts.rules.rule import Rule
from shared.contracts.incident import INCIDENT_NAMESPACE

GAP = timedelta(minutes=30)
ALONE = 1  # the priority whose alerts are never gathered with others


def group_key(rule: Rule, subject: str, place: Place, priority: int) -> str:
    """What alerts of one incident share. By default cause (else rule) and district; what is of
    priority 1, or lies nowhere, stands alone."""
    wanted = rule.group_by or (("cause" if rule.cause else "rule"), "district")
    district = place.area_id
    if priority == ALONE or "subject" in wanted or ("district" in wanted and district is None):
        return alone(rule.id, subject)
    values = {
        "rule": rule.id,
        "cause": rule.cause or rule.id,
        "category": rule.category or rule.id,
        "area": district or subject,
        "district": district,
    }
    return ";".join(f"{name}={values[name]}" for name in sorted(set(wanted)))


def alone(rule_id: str, subject: str) -> str:
    """The key of a rule's alerts for one subject."""
    return f"{rule_id}|{subject}"


def identity(key: str, started_at: datetime) -> UUID:
    """The id of the incident whose first alert started then; of a lone alert: its own."""
    return uuid5(INCIDENT_NAMESPACE, f"{key}|{started_at.isoformat()}")


def belongs(alert: Alert, members: Collection[Alert]) -> bool:
    """Whether an alert continues the session of these others of its key."""
    return any(_near(alert, member) for member in members)


def _near(alert: Alert, member: Alert) -> bool:
    if abs(alert.raised_at - member.raised_at) <= GAP:
        return True
    if alert.key != member.key or alert.started_at < member.started_at:
        return False
    return member.cleared_at is None or alert.started_at - member.cleared_at <= GAP
