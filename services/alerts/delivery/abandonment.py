"""An endpoint that is given up is an incident of its own: somebody no longer hears anything."""

from datetime import datetime
from uuid import uuid5

from sqlalchemy.ext.asyncio import AsyncConnection

from services.alerts.delivery.verdict import Parcel
from services.alerts.incidents import ledger
from services.alerts.incidents import steps as made
from shared.contracts.incident import Incident, IncidentState

ACTOR = "delivery"
CATEGORY = "platform"


async def tell(
    connection: AsyncConnection, parcel: Parcel, name: str, why: str, now: datetime
) -> None:
    """Open the incident, in the transaction that disables the endpoint."""
    label = name or parcel.endpoint_id.hex[:8]
    incident = Incident(
        id=uuid5(parcel.endpoint_id, f"abandoned|{now.isoformat()}"),
        title=f"告警通道停用 · {label} ({parcel.channel})",
        state=IncidentState.OPEN,
        grade=3,
        priority=2,
        area_id=None,
        subjects=(),
        rule_id=None,
        rule_version=None,
        opened_at=now,
        updated_at=now,
        observed_at=now,
        deadline_at=None,
        kind="report",
        category=CATEGORY,
    )
    await ledger.record(connection, made.event(incident, "incident.opened", ACTOR, why))
