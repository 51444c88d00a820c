"""What of a message its receiver may be told: every endpoint has a level. Pure."""

from services.alerts.channels.channel import Body
from shared.disclosure.clearance import Clearance
from shared.disclosure.declaration import Declaration
from shared.disclosure.disclose import disclosed
from shared.disclosure.level import Level


def told_of(declaration: Declaration, body: Body, level: Level) -> Body | None:
    """None: it is about something that the receiver is not cleared for at all."""
    told: Body | None = disclosed(
        declaration, declaration.datasets["incidents"], body, Clearance(level)
    )
    return told if told is not None and ("data" in told or "data" not in body) else None
