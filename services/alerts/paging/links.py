"""Signed links in messages: whoever was told can acknowledge or resolve without logging in.

A token names the incident, the person, what it allows and when it was made; it is signed with a
key of this city and holds for a day.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, get_args
from uuid import UUID

from itsdangerous import BadData, URLSafeSerializer
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncEngine

from services.alerts.connection import reachable
from shared.store.tables import link_keys

Action = Literal["acknowledge", "resolve"]
VALID_FOR = timedelta(hours=24)
_ACTIONS: tuple[str, ...] = get_args(Action)
_KEY = 1


@dataclass(frozen=True)
class Ticket:
    """What a token allows whom."""

    incident_id: UUID
    person: str
    action: Action
    made_at: datetime

    def expired(self, now: datetime) -> bool:
        """Whether it is older than a day."""
        return now > self.made_at + VALID_FOR


class SignedLinks:
    """Makes and reads links. `public_url`: where people reach this city; "": nowhere, and no
    message has links."""

    def __init__(self, secret: str, public_url: str) -> None:
        self._serializer = URLSafeSerializer(secret, salt="incident-link")
        self._base = public_url.rstrip("/")

    def of(self, incident: UUID, reader: str | None, now: datetime) -> Mapping[str, str]:
        """What a reader may open. Only a person can do something: of others nobody would know who
        it was."""
        if not self._base:
            return {}
        found = {"open": f"{self._base}/console#incidents/{incident}"}
        if reader is not None:
            for action in _ACTIONS:
                token = self.token(incident, reader, action, now)
                found[action] = f"{self._base}/v1/links/{token}"
        return found

    def token(self, incident: UUID, person: str, action: str, now: datetime) -> str:
        """Signed, fit for an address."""
        said = [incident.hex, person, _ACTIONS.index(action), int(now.timestamp())]
        return str(self._serializer.dumps(said))

    def read(self, token: str) -> Ticket | None:
        """None: it is not ours, or somebody has changed it."""
        try:
            incident, person, action, made = self._serializer.loads(token)
        except (BadData, ValueError, TypeError):
            return None
        moment = datetime.fromtimestamp(made, UTC)
        known: Action = "acknowledge" if action == 0 else "resolve"
        return Ticket(UUID(incident), person, known, moment)


async def secret(engine: AsyncEngine) -> str:
    """This city's key, made at the first start."""
    made = upsert(link_keys).values(key_id=_KEY, secret=secrets.token_urlsafe(32))
    async with reachable(engine.begin()) as connection:
        await connection.execute(made.on_conflict_do_nothing())
        query = select(link_keys.c.secret).where(link_keys.c.key_id == _KEY)
        return str((await connection.execute(query)).scalar_one())
