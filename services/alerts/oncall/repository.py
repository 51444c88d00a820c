"""People, rosters, chains and routes on PostgreSQL."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.alerts.connection import reachable
from services.alerts.oncall.chain import Chain
from services.alerts.oncall.entry import Entry, Person
from services.alerts.oncall.files import Seed
from services.alerts.oncall.oncall import Oncall
from services.alerts.oncall.roster import Override, Roster
from services.alerts.oncall.route import Route
from shared.clock import Clock, monotonic
from shared.store.audit import SYSTEM, Action, By, record_change
from shared.store.locks import Lock, hold
from shared.store.tables import alerts_audit, endpoints, oncall_entries, roster_overrides

KEEP_SECONDS = 2.0
REMEMBERED = timedelta(days=400)  # of overrides that are over: longer than any time that is shown
_FORMS: Final[dict[str, type[Entry]]] = {
    "person": Person, "roster": Roster, "chain": Chain, "route": Route,
}  # fmt: skip


_OVERRIDE = [one for one in roster_overrides.c if one.name not in ("removed_at", "removed_by")]


class Dangling(Exception):
    """What is left would name something that there is not. `str`: what, in words."""


class Repository:
    """As people have changed it. Remembered for two seconds."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._known: Oncall | None = None
        self._asked_at = 0.0

    async def seed(self, seed: Seed) -> None:
        """Enter what the files say, where nobody has entered anything yet."""
        known = seed.oncall
        entries: list[Entry] = [*known.people.values(), *known.rosters.values()]
        entries += [*known.chains.values(), *known.routes]
        async with reachable(self._engine.begin()) as connection:
            await hold(connection, Lock.ON_CALL)
            count = select(func.count()).select_from(oncall_entries)
            if entries and not (await connection.execute(count)).scalar():
                rows = [_row(one, place, "first start") for place, one in enumerate(entries)]
                await connection.execute(insert(oncall_entries), rows)

    async def current(self, connection: AsyncConnection) -> Oncall:
        """As it is now, to within two seconds."""
        if self._known is None or monotonic() - self._asked_at > KEEP_SECONDS:
            known = await self._read(connection)
            self._known, self._asked_at = known, monotonic()
        return self._known

    async def look(self) -> Oncall:
        """As it is now, without a transaction of the caller's."""
        async with reachable(self._engine.connect()) as connection:
            return await self._read(connection)

    async def put(
        self, entry: Entry, actor: str, before: str | None = None, by: By = SYSTEM
    ) -> None:
        """Enter or replace one. `before`: of routes, the one that it is to be looked at before;
        without it a new one is the last, and one that is known keeps its place. `Dangling`."""
        async with reachable(self._engine.begin()) as connection:
            await hold(connection, Lock.ON_CALL)
            complaints = await self._complaints(connection)
            kind, entry_id = _named(entry)
            was = await _entry(connection, kind, entry_id)
            row = _row(entry, await _place(connection, entry, before), actor)
            changed = row | {"changed_at": func.now()}
            statement = upsert(oncall_entries).values(row)
            keys = [oncall_entries.c.kind, oncall_entries.c.id]
            await connection.execute(
                statement.on_conflict_do_update(index_elements=keys, set_=changed)
            )
            await self._refuse_new(connection, complaints)
            now = await _entry(connection, kind, entry_id)
            action = Action(f"{kind}.entered", entry_id, self._clock(), was, now)
            await record_change(connection, alerts_audit, by, action)
        self._known = None

    async def remove(self, kind: str, entry_id: str, by: By = SYSTEM) -> bool:
        """False: there is none. `Dangling`: something else names it."""
        mine = (oncall_entries.c.kind == kind) & (oncall_entries.c.id == entry_id)
        async with reachable(self._engine.begin()) as connection:
            await hold(connection, Lock.ON_CALL)
            complaints = await self._complaints(connection)
            was = await _entry(connection, kind, entry_id)
            done = await connection.execute(delete(oncall_entries).where(mine))
            await self._refuse_new(connection, complaints)
            if was is not None:
                action = Action(f"{kind}.removed", entry_id, self._clock(), was)
                await record_change(connection, alerts_audit, by, action)
        self._known = None
        return done.rowcount > 0

    async def override(self, override: Override, by: By = SYSTEM) -> None:
        """Somebody else is on duty. `Dangling`: who is not known."""
        async with reachable(self._engine.begin()) as connection:
            await hold(connection, Lock.ON_CALL)
            complaints = await self._complaints(connection)
            row = asdict(override) | {"people": list(override.people)}
            await connection.execute(insert(roster_overrides).values(row))
            await self._refuse_new(connection, complaints)
            action = Action("override.made", override.roster_id, self._clock(), None, row)
            await record_change(connection, alerts_audit, by, action)
        self._known = None

    async def end_override(
        self, roster_id: str, override_id: UUID, actor: str, by: By = SYSTEM
    ) -> bool:
        """Take an override back; False: there is none."""
        values = {"removed_at": self._clock(), "removed_by": actor}
        mine = (
            (roster_overrides.c.override_id == override_id)
            & (roster_overrides.c.roster_id == roster_id)
            & roster_overrides.c.removed_at.is_(None)
        )
        async with reachable(self._engine.begin()) as connection:
            ending = update(roster_overrides).where(mine).values(values).returning(*_OVERRIDE)
            was = (await connection.execute(ending)).mappings().first()
            if was is not None:
                action = Action("override.ended", roster_id, self._clock(), dict(was))
                await record_change(connection, alerts_audit, by, action)
        self._known = None
        return was is not None

    async def _refuse_new(self, connection: AsyncConnection, before: set[str]) -> None:
        for complaint in sorted(await self._complaints(connection) - before):
            raise Dangling(complaint)

    async def _complaints(self, connection: AsyncConnection) -> set[str]:
        known = await self._read(connection)
        return {*known.complaints(), *await _unreachable(connection, known)}

    async def _read(self, connection: AsyncConnection) -> Oncall:
        entries: dict[str, list[Any]] = defaultdict(list)
        query = select(oncall_entries).order_by(oncall_entries.c.position, oncall_entries.c.id)
        for row in await connection.execute(query):
            entries[row.kind].append(_FORMS[row.kind].model_validate(row.document))
        lately = roster_overrides.c.ends_at > self._clock() - REMEMBERED
        rows = await connection.execute(
            select(roster_overrides).where(lately, roster_overrides.c.removed_at.is_(None))
        )
        return Oncall(
            {one.person_id: one for one in entries["person"]},
            {one.roster_id: one for one in entries["roster"]},
            {one.chain_id: one for one in entries["chain"]},
            entries["route"],
            _by_roster(rows),
        )


def _by_roster(rows: Iterable[Any]) -> dict[str, Sequence[Override]]:
    found: dict[str, list[Override]] = defaultdict(list)
    for row in rows:
        one = Override(
            row.override_id, row.roster_id, tuple(row.people), row.starts_at, row.ends_at,
            row.reason, row.created_by, row.created_at,
        )  # fmt: skip
        found[one.roster_id].append(one)
    return dict(found)


async def _entry(connection: AsyncConnection, kind: str, entry_id: str) -> dict[str, Any] | None:
    """As the audit log shows one: what is written, and of routes its place among them."""
    mine = (oncall_entries.c.kind == kind) & (oncall_entries.c.id == entry_id)
    query = select(oncall_entries.c.document, oncall_entries.c.position).where(mine)
    row = (await connection.execute(query)).first()
    return None if row is None else row.document | {"position": row.position}


async def _unreachable(connection: AsyncConnection, known: Oncall) -> set[str]:
    """What names an endpoint that there is not."""
    query = select(endpoints.c.endpoint_id).where(endpoints.c.removed_at.is_(None))
    there = {str(one) for one in (await connection.execute(query)).scalars()}
    named = [
        (f"person {person.person_id}", str(contact))
        for person in known.people.values()
        for contact in person.contacts
    ]
    named += [
        (f"chain {chain.chain_id}", target.id)
        for chain in known.chains.values()
        for target in chain.targets
        if target.kind == "endpoint"
    ]
    return {f"{who}: there is no endpoint {one}" for who, one in named if one not in there}


async def _place(connection: AsyncConnection, entry: Entry, before: str | None) -> int:
    kind, entry_id = _named(entry)
    same = oncall_entries.c.kind == kind
    place = select(oncall_entries.c.position).where(same)
    if before is None:
        known = (await connection.execute(place.where(oncall_entries.c.id == entry_id))).scalar()
        last = select(func.coalesce(func.max(oncall_entries.c.position), 0)).where(same)
        if known is not None:
            return int(known)
        return int((await connection.execute(last)).scalar_one()) + 1
    wanted = (await connection.execute(place.where(oncall_entries.c.id == before))).scalar()
    if wanted is None:
        raise Dangling(f"there is no {kind} {before}")
    later = same & (oncall_entries.c.position >= wanted)
    moved = {"position": oncall_entries.c.position + 1}
    await connection.execute(update(oncall_entries).where(later).values(moved))
    return int(wanted)


def _row(entry: Entry, place: int, actor: str) -> dict[str, Any]:
    kind, entry_id = _named(entry)
    document = entry.model_dump(mode="json", by_alias=True)
    return {
        "kind": kind, "id": entry_id, "position": place, "document": document, "changed_by": actor,
    }  # fmt: skip


def _named(entry: Entry) -> tuple[str, str]:
    kind = next(name for name, form in _FORMS.items() if isinstance(entry, form))
    return kind, str(getattr(entry, f"{kind}_id"))
