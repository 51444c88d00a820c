"""Accounts in the database, as administrators see and change them. Every change is audited."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.ops_center.people.user import GrantBody, User, UserChange, UserIn
from shared.clock import Clock
from shared.store.audit import Action, By, record, record_change
from shared.store.locks import Lock, hold
from shared.store.tables import accounts, areas, departments, metrics, ops_audit, sessions
from shared.web.authenticator import granted, token_hash
from shared.web.rights import highest


class NameTaken(Exception):
    """There is an account of this name."""


class LastAdministrator(Exception):
    """Without this account nobody could change accounts any more."""


class Users:
    """Makes, changes and disables accounts."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    async def page(self, after: str, limit: int) -> list[User]:
        """By name, from `after` on."""
        query = select(accounts).where(accounts.c.username > after)
        async with self._engine.connect() as connection:
            found = await connection.execute(query.order_by(accounts.c.username).limit(limit))
            return [_user(row) for row in found]

    async def get(self, username: str) -> User | None:
        """One."""
        async with self._engine.connect() as connection:
            return await _find(connection, username)

    async def unknown(
        self, grants: Sequence[GrantBody], department: str | None = None
    ) -> list[tuple[str, str]]:
        """(JSON pointer, id) of the areas and domains, and the department, that do not exist."""
        wanted = {one.area_id for one in grants if one.area_id is not None}
        query = select(areas.c.area_id).where(areas.c.area_id.in_(wanted))
        async with self._engine.connect() as connection:
            found = set((await connection.execute(query)).scalars())
            domains = set((await connection.execute(select(metrics.c.domain).distinct())).scalars())
            named = select(departments.c.name).where(departments.c.name == department)
            lost = bool(department) and (await connection.execute(named)).first() is None
        return [("/department", f"department {department}")] * lost + [
            (f"/grants/{place}/{field}", str(value))
            for place, one in enumerate(grants)
            for field, value, known in (
                ("area_id", one.area_id, found), ("domain", one.domain, domains),
            )
            if value is not None and value not in known
        ]  # fmt: skip

    async def make(self, wanted: UserIn, hashed: str, until: datetime, by: By) -> User:
        """A new account with a one-time password. Raises `NameTaken`."""
        now = self._clock()
        values = {
            "username": wanted.username, "display_name": wanted.display_name,
            "password_hash": hashed, "password_until": until, "must_change": True,
            "created_at": now, "department": wanted.department or None, **_split(wanted.grants),
        }  # fmt: skip
        try:
            async with self._engine.begin() as connection:
                await connection.execute(insert(accounts).values(values))
                made = await _existing(connection, wanted.username)
                action = Action("user.made", made.username, now, None, _said(made))
                await record(connection, ops_audit, by, action)
        except IntegrityError:
            raise NameTaken(wanted.username) from None
        return made

    async def change(self, username: str, change: UserChange, by: By) -> User | None:
        """What `change` names; who is disabled has no session any more. None: there is no such
        account. Raises `LastAdministrator`."""
        now = self._clock()
        async with self._engine.begin() as connection:
            await hold(connection, Lock.ADMINISTRATORS)
            before = await _find(connection, username)
            if before is None:
                return None
            values = _values(change, before, now)
            if values:
                mine = accounts.c.username == username
                await connection.execute(update(accounts).where(mine).values(values))
            after = await _existing(connection, username)
            if _rules(before) and not _rules(after):
                await _check_somebody_rules(connection)
            if after.disabled:
                await connection.execute(delete(sessions).where(sessions.c.username == username))
            action = Action("user.changed", username, now, _said(before), _said(after))
            await record_change(connection, ops_audit, by, action)
        return after

    async def reset(self, username: str, hashed: str, until: datetime, by: By) -> User | None:
        """A one-time password, in place of whatever let him in: every session ends."""
        values = {"password_hash": hashed, "password_until": until, "must_change": True}
        return await self._give(username, values, "user.password_reset", by, None)

    async def set_password(self, username: str, hashed: str, token: str, by: By) -> None:
        """His own password; his other sessions end."""
        values = {"password_hash": hashed, "password_until": None, "must_change": False}
        await self._give(username, values, "user.password_changed", by, token)

    async def vouched(
        self, subject: str, name: str, display_name: str, grants: Sequence[GrantBody], by: By
    ) -> User:
        """The account of somebody whom a provider vouches for, with what his groups grant now.
        Raises `NameTaken` where another account has the name: nobody takes one over."""
        now = self._clock()
        said = {"display_name": display_name, **_split(grants)}
        new = {"username": name, "password_hash": "", "oidc_subject": subject, "created_at": now}
        try:
            async with self._engine.begin() as connection:
                mine = accounts.c.oidc_subject == subject
                query = select(accounts).where(mine).with_for_update()
                row = (await connection.execute(query)).first()
                if row is None:
                    await connection.execute(insert(accounts).values(new | said))
                else:
                    await connection.execute(update(accounts).where(mine).values(said))
                found = await _existing(connection, name if row is None else row.username)
                before = None if row is None else _user(row)
                was = None if before is None else _said(before)
                name = "user.made" if before is None else "user.changed"
                action = Action(name, found.username, now, was, _said(found))
                await record_change(connection, ops_audit, by, action)
        except IntegrityError:
            raise NameTaken(name) from None
        return found

    async def _give(
        self, username: str, values: dict[str, Any], action: str, by: By, kept: str | None
    ) -> User | None:
        now = self._clock()
        ending = delete(sessions).where(sessions.c.username == username)
        if kept is not None:
            ending = ending.where(sessions.c.token_sha256 != token_hash(kept))
        async with self._engine.begin() as connection:
            mine = accounts.c.username == username
            await connection.execute(update(accounts).where(mine).values(values))
            found = await _find(connection, username)
            if found is not None:
                await connection.execute(ending)
                await record(connection, ops_audit, by, Action(action, username, now))
        return found


def _user(row: Row[Any]) -> User:
    grants = granted(row.role, row.grants)
    return User(
        username=row.username,
        display_name=row.display_name,
        role=highest(grants),
        grants=[GrantBody(role=one.role, area_id=one.area_id, domain=one.domain) for one in grants],
        department=row.department,
        disabled=row.disabled_at is not None,
        disabled_at=row.disabled_at,
        must_change_password=row.must_change,
        login="password" if row.oidc_subject is None else "oidc",
        created_at=row.created_at,
    )


def _split(grants: Sequence[GrantBody]) -> dict[str, Any]:
    """Grants as the columns hold them: the highest of those for everywhere, and the others."""
    everywhere = [one for one in grants if one.area_id is None and one.domain is None]
    confined = [one for one in grants if one not in everywhere]
    best = highest(granted(None, [one.model_dump() for one in everywhere]))
    return {"role": best or None, "grants": [one.model_dump() for one in dict.fromkeys(confined)]}


def _values(change: UserChange, before: User, now: datetime) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if change.display_name is not None:
        values["display_name"] = change.display_name
    if change.grants is not None:
        values |= _split(change.grants)
    if "department" in change.model_fields_set:
        values["department"] = change.department or None
    if change.disabled is not None and change.disabled != before.disabled:
        values["disabled_at"] = now if change.disabled else None
    return values


def _said(user: User) -> dict[str, Any]:
    """As the audit log shows an account."""
    shown = {"display_name", "grants", "department", "disabled", "login"}
    return user.model_dump(mode="json", include=shown)


def _rules(user: User) -> bool:
    """Whether he may change accounts."""
    everywhere = GrantBody(role="admin")
    return not user.disabled and everywhere in user.grants


async def _check_somebody_rules(connection: AsyncConnection) -> None:
    ruling = select(accounts.c.username).where(
        accounts.c.role == "admin", accounts.c.disabled_at.is_(None)
    )
    if (await connection.execute(ruling.limit(1))).first() is None:
        raise LastAdministrator


async def _find(connection: AsyncConnection, username: str) -> User | None:
    query = select(accounts).where(accounts.c.username == username)
    row = (await connection.execute(query)).first()
    return None if row is None else _user(row)


async def _existing(connection: AsyncConnection, username: str) -> User:
    found = await _find(connection, username)
    assert found is not None
    return found
