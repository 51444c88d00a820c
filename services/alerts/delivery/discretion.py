"""What of a message its receiver may be told: every endpoint has a level. Pure."""

from services.alerts.channels.channel import Body
from shared.disclosure.clearance import Clearance
from shared.disclosure.declaration import Declaration
from shared.disclosure.disclose import disclosed
from shared.disclosure.level import Level

WARNING = "warning."  # how the type of a public warning's delivery begins


def told_of(declaration: Declaration, body: Body, level: Level) -> Body | None:
    """None: it is about something that the receiver is not cleared for at all."""
    warns = str(body["type"]).startswith(WARNING)
    dataset = declaration.datasets["warnings" if warns else "incidents"]
    told: Body | None = disclosed(declaration, dataset, body, Clearance(level))
    return told if told is not None and ("data" in told or "data" not in body) else None
