"""A page: what one recipient is told at one moment. Pure."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.alerts.oncall.entry import Person
from services.alerts.paging.notice import Notice, Reason, over
from shared.contracts.incident import Incident, public_data

SHOWN = 10  # incidents: a message stays below 20 kB
SUBJECTS_SHOWN = 5
# What the headline says when a page tells of several: the first of these.
_GRAVEST: Final[Sequence[Reason]] = ("escalated", "changed", "new", "repeat", "resolved")

Links = Callable[[UUID], Mapping[str, str]]


def body(
    page_id: UUID,
    person: Person | None,
    said: Sequence[Notice],
    incidents: Mapping[UUID, Incident],
    links: Links,
    now: datetime,
) -> str:
    """The canonical JSON of a page. `person`: None where a chain tells an endpoint; `links`: what
    its reader may open, by incident."""
    told = ordered(said, incidents)
    shown = told[:SHOWN]
    resolved = sum(over(one) for one in told)
    data: dict[str, Any] = {
        "page_id": str(page_id),
        "person": person and {"person_id": person.person_id, "name": person.name},
        "firing": len(told) - resolved,
        "resolved": resolved,
        "reason": next(one for one in _GRAVEST if one in {notice.reason for notice in said}),
        "incidents": [public_data(one, SUBJECTS_SHOWN) for one in shown],
        "more": len(told) - len(shown),
        "links": {str(one.id): dict(links(one.id)) for one in shown},
    }
    whole = {"type": "page", "timestamp": now.isoformat(), "data": data}
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":"))


def ordered(said: Sequence[Notice], incidents: Mapping[UUID, Incident]) -> list[Incident]:
    """Each incident once: what stands before what is over, the most urgent first."""
    found = {notice.incident_id: incidents[notice.incident_id] for notice in said}
    return sorted(found.values(), key=lambda one: (over(one), one.priority, one.opened_at, one.id))
