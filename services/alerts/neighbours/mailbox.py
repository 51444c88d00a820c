"""What neighbouring cities warn of: taken once, kept as it came, never sent on.

Which warnings hold is no state that messages change but a question about all of them
(`shared.store.neighbourhood`), so that the order in which they arrive means nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.alerts.channels import standard_webhooks
from services.alerts.connection import reachable
from services.alerts.neighbours.message import OLDEST, Message, Unfit, read
from shared.clock import Clock
from shared.store.audit import Action, By, record
from shared.store.tables import alerts_audit, endpoints, neighbour_warnings, neighbours

KEPT = OLDEST * 2
MESSAGES_PER_MINUTE = 120


class Unsigned(Exception):
    """It is not from who it should be from. The message says why."""


class TooMany(Exception):
    """More messages within a minute than a city can have to say."""


@dataclass(frozen=True)
class Taken:
    """What became of a message. `known`: it had been taken before; `kept`: it warns of something
    (or lifts a warning), and is not only a sign of life."""

    message: Message
    known: bool
    kept: bool


class Mailbox:
    """`sender`, `code`: how our own messages can be told."""

    def __init__(self, engine: AsyncEngine, clock: Clock, sender: str, code: str) -> None:
        self._engine = engine
        self._clock = clock
        self._sender = sender
        self._code = code

    async def take(
        self, adcode: int, headers: Mapping[str, str], raw: bytes, by: By
    ) -> Taken | None:
        """Take a message in. None: there is no such neighbour. Raises `Unsigned`, `TooMany`,
        `Unfit`."""
        now = self._clock()
        async with reachable(self._engine.begin()) as connection:
            secrets = await _secrets(connection, adcode, now)
            if secrets is None:
                return None
            why = standard_webhooks.reason_to_distrust(secrets, headers, now, raw)
            if why is not None:
                raise Unsigned(why)
            message = read(raw, now)
            if self._is_ours(message):
                raise Unfit("/alert/identifier", "this is a message of our own", "own_message")
            taken = await _keep(connection, adcode, message, raw.decode("utf-8-sig"), now)
            mine = neighbours.c.adcode == adcode
            await connection.execute(update(neighbours).where(mine).values(heard_at=now))
            if taken.kept and not taken.known:
                said = {"kind": message.kind, "sender": message.sender}
                action = Action(
                    "neighbour.warned", f"{adcode} {message.identifier}", now, None, said
                )
                await record(connection, alerts_audit, by, action)
        return taken

    def _is_ours(self, message: Message) -> bool:
        """It has come back: two cities on their default settings have one sender."""
        ours = message.identifier.startswith(f"{self._code}_")
        return ours and message.sender == self._sender


async def _secrets(connection: AsyncConnection, adcode: int, now: datetime) -> list[str] | None:
    """Those that a neighbour may sign with; its row is locked: its messages come one by one."""
    query = (
        select(endpoints.c.secret, endpoints.c.previous_secret, endpoints.c.previous_until)
        .join(neighbours, neighbours.c.endpoint_id == endpoints.c.endpoint_id)
        .where(neighbours.c.adcode == adcode, neighbours.c.removed_at.is_(None))
        .with_for_update(of=neighbours)
    )
    row = (await connection.execute(query)).first()
    if row is None:
        return None
    before = row.previous_secret if row.previous_until and row.previous_until > now else ""
    return [row.secret, before or ""]


async def _keep(
    connection: AsyncConnection, adcode: int, message: Message, document: str, now: datetime
) -> Taken:
    if message.told is None:
        return Taken(message, known=False, kept=False)
    mine = neighbour_warnings.c.adcode == adcode
    before = await connection.scalar(
        select(neighbour_warnings.c.document).where(
            mine,
            neighbour_warnings.c.sender == message.sender,
            neighbour_warnings.c.identifier == message.identifier,
        )
    )
    if before is not None and before != document:
        raise Unfit("/alert/identifier", "known, and said something else", "conflict")
    if before is None:
        await _check_pace(connection, adcode, now)
        row = _row(message, document) | {"adcode": adcode, "received_at": now}
        await connection.execute(insert(neighbour_warnings).values(row))
        old = mine & (neighbour_warnings.c.sent_at < now - KEPT)
        await connection.execute(
            delete(neighbour_warnings).where(old, neighbour_warnings.c.expires_at < now)
        )
    return Taken(message, known=before is not None, kept=True)


async def _check_pace(connection: AsyncConnection, adcode: int, now: datetime) -> None:
    lately = neighbour_warnings.c.received_at > now - timedelta(minutes=1)
    query = select(func.count()).where(neighbour_warnings.c.adcode == adcode, lately)
    if (await connection.scalar(query) or 0) >= MESSAGES_PER_MINUTE:
        raise TooMany


def _row(message: Message, document: str) -> dict[str, Any]:
    assert message.told is not None
    told = message.told
    return {
        "sender": message.sender, "identifier": message.identifier, "kind": message.kind,
        "exercise": message.exercise, "sent_at": message.sent_at, "since": told.since,
        "expires_at": told.expires_at, "severity": told.severity, "category": told.category,
        "wording": told.wording, "outline": list(told.outline) or None,
        "replaces": list(message.replaces), "document": document,
    }  # fmt: skip
