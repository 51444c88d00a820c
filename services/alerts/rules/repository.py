"""Rules and their versions on PostgreSQL. Whoever writes holds one lock: changes have an order."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Row, Select, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.alerts.connection import reachable
from services.alerts.rules.files import Found, RuleError
from services.alerts.rules.versions import Change, Standing, Version, from_files
from shared.clock import system_clock
from shared.errors import YiwangError
from shared.store.audit import SYSTEM, Action, By, record
from shared.store.locks import Lock, hold
from shared.store.tables import alerts_audit, metrics, rules

MAX_RULES = 10_000  # not retired


class TooMany(YiwangError):
    """There are as many rules as there may be."""


class Repository:
    """`alerts.rules`: rows are only ever added."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def take_in(self, found: Sequence[Found], errors: Sequence[RuleError]) -> list[Version]:
        """The files as they are now; what they have changed. See `versions.from_files`."""
        async with reachable(self._engine.begin()) as connection:
            await hold(connection, Lock.RULES)
            standing = await _standing(connection)
            changes = from_files(found, errors, standing)
            return [await _add(connection, change, standing) for change in changes]

    async def edit(
        self, rule_id: str, decide: Callable[[Standing | None], Change | None], by: By = SYSTEM
    ) -> Standing:
        """A new version by a person: `decide` is shown what stands, raises to refuse, and says
        None where nothing changes. Raises `TooMany`."""
        async with reachable(self._engine.begin()) as connection:
            await hold(connection, Lock.RULES)
            standing = await _standing(connection, rule_id)
            change = decide(standing.get(rule_id))
            if change is None:
                return standing[rule_id]
            if rule_id not in standing or standing[rule_id].current.retired:
                await _make_room(connection)
            made = await _add(connection, change, standing)
            was = standing[rule_id].current if rule_id in standing else None
            await record(connection, alerts_audit, by, _edited(was, made))
            return (await _standing(connection, rule_id))[rule_id]

    async def standing(self, rule_id: str | None = None) -> dict[str, Standing]:
        """What stands of every rule (or of one), retired ones too, by id."""
        async with reachable(self._engine.connect()) as connection:
            return await _standing(connection, rule_id)

    async def metrics(self) -> frozenset[str]:
        """Codes of the metrics that are registered."""
        async with reachable(self._engine.connect()) as connection:
            return frozenset(await connection.scalars(select(metrics.c.metric)))

    async def newest(self) -> int:
        """Number of the newest change; 0 before the first."""
        async with reachable(self._engine.connect()) as connection:
            return (await connection.execute(select(func.max(rules.c.change)))).scalar() or 0

    async def versions(self, rule_id: str, below: int | None, limit: int) -> list[Version]:
        """Versions of one rule, newest first, from below a number on."""
        query = select(rules).where(rules.c.rule_id == rule_id)
        if below is not None:
            query = query.where(rules.c.version < below)
        query = query.order_by(rules.c.version.desc()).limit(limit)
        async with reachable(self._engine.connect()) as connection:
            return [_version(row) for row in await connection.execute(query)]


_SAID = ("version", "enabled", "retired", "document", "note")


def _edited(before: Version | None, after: Version) -> Action:
    """What the audit log keeps of an edit."""
    name = "rule.retired" if after.retired else "rule.edited" if before else "rule.added"
    was = None if before is None else _said(before)
    return Action(name, after.rule_id, system_clock(), was, _said(after))


def _said(one: Version) -> dict[str, Any]:
    return {name: getattr(one, name) for name in _SAID}


async def _standing(connection: AsyncConnection, rule_id: str | None = None) -> dict[str, Standing]:
    newest = _newest(rule_id)
    filed = {
        row.rule_id: _version(row)
        for row in await connection.execute(newest.where(rules.c.source == "file"))
    }
    current = [_version(row) for row in await connection.execute(newest)]
    return {one.rule_id: Standing(one, filed.get(one.rule_id)) for one in current}


def _newest(rule_id: str | None) -> Select[Any]:
    """The newest row of each rule."""
    query = select(rules).distinct(rules.c.rule_id)
    query = query.order_by(rules.c.rule_id, rules.c.version.desc())
    return query if rule_id is None else query.where(rules.c.rule_id == rule_id)


async def _make_room(connection: AsyncConnection) -> None:
    newest = _newest(None).subquery()
    query = select(func.count()).select_from(newest).where(~newest.c.retired)
    if ((await connection.execute(query)).scalar() or 0) >= MAX_RULES:
        raise TooMany(f"there are {MAX_RULES} rules already")


async def _add(
    connection: AsyncConnection, change: Change, standing: dict[str, Standing]
) -> Version:
    known = standing.get(change.rule_id)
    query = select(func.coalesce(func.max(rules.c.change), 0) + 1)
    values = {
        "rule_id": change.rule_id,
        "version": 1 if known is None else known.current.version + 1,
        "change": (await connection.execute(query)).scalar(),
        "document": change.document,
        "enabled": change.enabled,
        "retired": change.retired,
        "source": change.source,
        "file": change.file,
        "author": change.author,
        "note": change.note,
    }
    statement = insert(rules).values(values).returning(rules)
    return _version((await connection.execute(statement)).one())


def _version(row: Row[Any]) -> Version:
    return Version(**row._mapping)
