"""The audit log: who did what, when, from where. Append-only, each row bound to the one before.

Every service has a chain of its own (`shared.store.tables.audit`) and writes a row in the
transaction of the action: the action and its record are there together or not at all. A row's hash
covers its content and the hash of the row before, so that whoever changes, removes or reorders a
row must write every later one anew; against that, keep a head (`Verdict.head`) elsewhere.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel
from sqlalchemy import Row, Table, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.clock import system_clock

GENESIS = bytes(32)
CHAIN_LOCK = 0xA0D17  # with the schema's: rows of one chain are written one after the other
WITHHELD = "***"
LONGEST_CHANGE = 64 * 1024  # characters of `change`; beyond it only its size and hash are kept
_SECRET = ("password", "secret", "token", "sha256", "phone", "authorization")
_BATCH = 1_000


@dataclass(frozen=True, slots=True)
class By:
    """Who acts: `kind` person, key, link (a person through a signed link),
    neighbour (a city's platform) or system."""

    actor: str
    kind: str
    address: str = ""
    request_id: str = ""


SYSTEM = By("system", "system")


@dataclass(frozen=True, slots=True)
class Action:
    """What was done: `name` such as `key.revoked`, to what, at which wall-clock moment, and what
    the subject was before and is after (None: it was not, or is not any more)."""

    name: str
    subject: str
    at: datetime = field(default_factory=system_clock)
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What `verify` found. `head`: `seq:hash` of the newest row, to be kept elsewhere; `fault`:
    the first row that is not as it was written, and why; None: all are."""

    rows: int
    head: str
    fault: str | None = None


async def record(connection: AsyncConnection, chain: Table, by: By, *actions: Action) -> None:
    """Write actions into the transaction. To be called last in it: until it ends, nobody else
    writes to this chain."""
    if not actions:
        return
    await connection.execute(
        select(func.pg_advisory_xact_lock(CHAIN_LOCK, func.hashtext(chain.schema)))
    )
    newest = select(chain.c.seq, chain.c.hash).order_by(chain.c.seq.desc()).limit(1)
    row = (await connection.execute(newest)).first()
    seq, previous = (0, GENESIS) if row is None else (row.seq, bytes(row.hash))
    rows = []
    for action in actions:
        seq += 1
        made = _row(seq, previous, by, action)
        previous = made["hash"]
        rows.append(made)
    await connection.execute(insert(chain), rows)


async def record_change(connection: AsyncConnection, chain: Table, by: By, action: Action) -> None:
    """As `record`; of a subject that was before and still is, only the fields that differ. Where
    none does, nothing was done, and nothing is written."""
    if action.before is not None and action.after is not None:
        before, after = changed(action.before, action.after)
        if not after:
            return
        action = replace(action, before=before, after=after)
    await record(connection, chain, by, action)


async def verify(connection: AsyncConnection, chain: Table, head: str | None = None) -> Verdict:
    """Read a chain from its first row on. `head`: one that was noted earlier and must be there."""
    seq, previous, seen = 0, GENESIS, head is None
    while True:
        query = select(chain).where(chain.c.seq > seq).order_by(chain.c.seq).limit(_BATCH)
        rows = (await connection.execute(query)).all()
        if not rows:
            break
        for row in rows:
            fault = _fault(row, seq, previous)
            if fault is not None:
                return Verdict(seq, _head(seq, previous), fault)
            seq, previous = row.seq, bytes(row.hash)
            seen = seen or head == _head(seq, previous)
    fault = None if seen else f"row {head} is gone: the end was cut off, or all was written anew"
    return Verdict(seq, _head(seq, previous), fault)


def changed(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields that differ, as they were and as they are."""
    names = [name for name in after if before.get(name) != after[name]]
    return {name: before.get(name) for name in names}, {name: after[name] for name in names}


def said(one: BaseModel | None, *without: str) -> dict[str, Any] | None:
    """A model as the log shows it, but for the fields that say nothing of what was done."""
    return None if one is None else one.model_dump(mode="json", exclude=set(without))


def without_secrets(value: Any, name: str = "") -> Any:
    """JSON without what nobody may read later: values whose names say that they are secret, and
    the query of addresses (bots carry their key there)."""
    if value is not None and any(word in name for word in _SECRET):
        return value if isinstance(value, bool) else WITHHELD
    if isinstance(value, Mapping):
        return {str(key): without_secrets(one, str(key).lower()) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [without_secrets(one) for one in value]
    if isinstance(value, str) and "url" in name:
        address, query, _ = value.partition("?")
        return f"{address}?{WITHHELD}" if query else address
    return value


def _row(seq: int, previous: bytes, by: By, action: Action) -> dict[str, Any]:
    content = {
        "seq": seq, "at": action.at, "actor": by.actor, "kind": by.kind, "address": by.address,
        "request_id": by.request_id, "action": action.name, "subject": action.subject,
        "change": _change(action),
    }  # fmt: skip
    return content | {"previous": previous, "hash": _hash(previous, content)}


def _change(action: Action) -> str:
    written = _json(
        {"before": without_secrets(action.before), "after": without_secrets(action.after)}
    )
    if len(written) <= LONGEST_CHANGE:
        return written
    digest = hashlib.sha256(written.encode()).hexdigest()
    return _json({"too_long": len(written), "sha256": digest})


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)


def _hash(previous: bytes, content: Mapping[str, Any]) -> bytes:
    moment = content["at"].astimezone(UTC).isoformat(timespec="microseconds")
    written = _json([previous.hex(), {**content, "at": moment}])
    return hashlib.sha256(written.encode()).digest()


def _fault(row: Row[Any], seq: int, previous: bytes) -> str | None:
    if row.seq != seq + 1:
        return f"row {seq + 1} is missing"
    if bytes(row.previous) != previous:
        return f"row {row.seq} does not follow row {seq}: one of them was replaced or moved"
    content = {key: value for key, value in row._mapping.items() if key not in ("previous", "hash")}
    if _hash(previous, content) != bytes(row.hash):
        return f"row {row.seq} was changed"
    return None


def _head(seq: int, digest: bytes) -> str:
    return f"{seq}:{digest.hex()}"
