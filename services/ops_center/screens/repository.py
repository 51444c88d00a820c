"""Saved views and screens in the database."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

from sqlalchemy import RowMapping, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.ops_center.screens.saved import (
    NewScreen,
    SavedView,
    Screen,
    ScreenChange,
    ScreenIn,
    Turn,
    ViewIn,
)
from shared.clock import Clock
from shared.store.audit import Action, By, record_change, said
from shared.store.locks import Lock, hold
from shared.store.tables import areas, ops_audit, playlists, screen_tokens, views
from shared.web.auth import SHOWN_OF_SCREENS, new_token
from shared.web.authenticator import token_hash

_LOOK = ("centre", "theme", "language", "panels")


class NameTaken(Exception):
    """Another view has this name."""


class InUse(Exception):
    """The view is shown: by playlists or screens of these names."""

    def __init__(self, names: list[str]) -> None:
        super().__init__("、".join(names))
        self.names = names


class Shelf:
    """Views and screens; ops_center alone writes them."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    async def list_views(self, after: str | None, limit: int) -> list[SavedView]:
        """By id."""
        query = select(views).order_by(views.c.view_id).limit(limit)
        if after is not None:
            query = query.where(views.c.view_id > after)
        async with self._engine.connect() as connection:
            return await _views(connection, (await connection.execute(query)).mappings().all())

    async def view(self, view_id: str) -> SavedView | None:
        """One."""
        async with self._engine.connect() as connection:
            return await _view(connection, view_id)

    async def shown(self, view_id: str) -> list[tuple[SavedView, int | None]]:
        """What a screen of this view shows, in turn, with the seconds of each; None: for good."""
        async with self._engine.connect() as connection:
            found = await _view(connection, view_id)
            if found is None or found.kind == "wall":
                return [] if found is None else [(found, None)]
            query = select(views).where(views.c.view_id.in_([t.view_id for t in found.playlist]))
            rows = (await connection.execute(query)).mappings().all()
            known = {one.view_id: one for one in await _views(connection, rows)}
            turns = [turn for turn in found.playlist if turn.view_id in known]
            return [(known[turn.view_id], turn.seconds) for turn in turns]

    async def unknown(self, wanted: ViewIn) -> list[tuple[str, str]]:
        """(JSON pointer, what is wrong) of the area and the views that `wanted` names."""
        async with self._engine.connect() as connection:
            found = [("/area_id", f"there is no area {wanted.area_id}")] * (
                wanted.area_id is not None and not await _is_place(connection, wanted.area_id)
            )
            query = select(views.c.view_id).where(views.c.kind == "wall")
            walls = set((await connection.execute(query)).scalars()) if wanted.playlist else set()
            return found + [
                (f"/playlist/{place}/view_id", f"there is no wall {turn.view_id}")
                for place, turn in enumerate(wanted.playlist)
                if turn.view_id not in walls
            ]

    async def make_view(self, wanted: ViewIn, by: By) -> SavedView:
        """A new view. Raises `NameTaken`."""
        view_id, now = uuid4().hex, self._clock()
        values = _columns(wanted) | {"view_id": view_id, "created_by": by.actor}
        async with self._writing() as connection:
            await _claim(connection, wanted.name, view_id)
            await connection.execute(insert(views).values(created_at=now, updated_at=now, **values))
            await _play(connection, view_id, wanted.playlist)
            made = await _view(connection, view_id)
            assert made is not None
            action = Action("view.made", view_id, self._clock(), None, said(made))
            await record_change(connection, ops_audit, by, action)
        return made

    async def replace_view(self, view_id: str, wanted: ViewIn, by: By) -> SavedView | None:
        """None for an unknown view. Raises `NameTaken`, or `InUse` for what would become a
        playlist within a playlist."""
        async with self._writing() as connection:
            await _claim(connection, wanted.name, view_id)
            if wanted.kind == "playlist" and (names := await _players(connection, view_id)):
                raise InUse(names)
            before = await _view(connection, view_id)
            values = _columns(wanted) | {"updated_at": self._clock()}
            await connection.execute(update(views).where(views.c.view_id == view_id).values(values))
            await connection.execute(delete(playlists).where(playlists.c.view_id == view_id))
            if (found := await _view(connection, view_id)) is None:
                return None
            await _play(connection, view_id, wanted.playlist)
            after = found.model_copy(update={"playlist": wanted.playlist})
            action = Action("view.replaced", view_id, self._clock(), said(before), said(after))
            await record_change(connection, ops_audit, by, action)
            return after

    async def remove_view(self, view_id: str, by: By) -> bool:
        """False for an unknown view. Raises `InUse`: a screen must not lose what confines it."""
        async with self._writing() as connection:
            screens = select(screen_tokens.c.name).where(
                screen_tokens.c.view_id == view_id, screen_tokens.c.revoked_at.is_(None)
            )
            names = await _players(connection, view_id)
            names += (await connection.execute(screens)).scalars()
            if names:
                raise InUse(names)
            ended = update(screen_tokens).where(screen_tokens.c.view_id == view_id)
            await connection.execute(ended.values(view_id=None))  # revoked ones alone are left
            before = await _view(connection, view_id)
            if before is None:
                return False
            await connection.execute(delete(views).where(views.c.view_id == view_id))
            action = Action("view.removed", view_id, self._clock(), said(before))
            await record_change(connection, ops_audit, by, action)
            return True

    async def list_screens(self, revoked: bool, after: str | None, limit: int) -> list[Screen]:
        """By id; those that are revoked only if wanted."""
        query = select(screen_tokens).order_by(screen_tokens.c.screen_id).limit(limit)
        if not revoked:
            query = query.where(screen_tokens.c.revoked_at.is_(None))
        if after is not None:
            query = query.where(screen_tokens.c.screen_id > after)
        async with self._engine.connect() as connection:
            return [self._screen(row) for row in (await connection.execute(query)).mappings()]

    async def screen(self, screen_id: str) -> Screen | None:
        """One."""
        async with self._engine.connect() as connection:
            return await self._find(connection, screen_id)

    async def make_screen(self, wanted: ScreenIn, by: By) -> NewScreen:
        """A new screen with its token. The view must exist."""
        token, screen_id = new_token("yw_screen"), uuid4().hex
        values = wanted.model_dump() | {
            "screen_id": screen_id,
            "token_sha256": token_hash(token),
            "prefix": token[:SHOWN_OF_SCREENS],
            "created_by": by.actor,
            "created_at": self._clock(),
        }
        async with self._writing() as connection:
            await connection.execute(insert(screen_tokens).values(values))
            made = await self._find(connection, screen_id)
            assert made is not None
            action = Action("screen.made", screen_id, self._clock(), None, said(made))
            await record_change(connection, ops_audit, by, action)
        return NewScreen(**made.model_dump(), token=token, path=f"/?token={token}")

    async def change_screen(self, screen_id: str, change: ScreenChange, by: By) -> Screen | None:
        """What `change` names; None for a screen that is unknown or revoked."""
        values = change.model_dump(include=change.model_fields_set)
        async with self._writing() as connection:
            before = await self._find(connection, screen_id)
            if before is None or before.state == "revoked":
                return None
            if values:
                await connection.execute(_live(screen_id).values(values))
            after = await self._find(connection, screen_id)
            action = Action("screen.changed", screen_id, self._clock(), said(before), said(after))
            await record_change(connection, ops_audit, by, action)
            return after

    async def revoke_screen(self, screen_id: str, by: By) -> bool:
        """For good. False for an unknown screen."""
        async with self._writing() as connection:
            before = await self._find(connection, screen_id)
            await connection.execute(_live(screen_id).values(revoked_at=self._clock()))
            after = await self._find(connection, screen_id)
            if before is not None:
                action = Action(
                    "screen.revoked", screen_id, self._clock(), said(before), said(after)
                )
                await record_change(connection, ops_audit, by, action)
            return before is not None

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[AsyncConnection]:
        async with self._engine.begin() as connection:
            await hold(connection, Lock.SCREENS)
            yield connection

    async def _find(self, connection: AsyncConnection, screen_id: str) -> Screen | None:
        query = select(screen_tokens).where(screen_tokens.c.screen_id == screen_id)
        row = (await connection.execute(query)).mappings().first()
        return None if row is None else self._screen(row)

    def _screen(self, row: RowMapping) -> Screen:
        expired = row["expires_at"] is not None and row["expires_at"] <= self._clock()
        state = "revoked" if row["revoked_at"] else "expired" if expired else "active"
        return Screen(**{**row, "state": state})


def _live(screen_id: str) -> Any:
    return update(screen_tokens).where(
        screen_tokens.c.screen_id == screen_id, screen_tokens.c.revoked_at.is_(None)
    )


def _columns(wanted: ViewIn) -> dict[str, Any]:
    values = wanted.model_dump(include={"name", "kind", "area_id", "domains"})
    return values | {"look": wanted.model_dump(mode="json", include=set(_LOOK))}


async def _play(connection: AsyncConnection, view_id: str, playlist: list[Turn]) -> None:
    rows = [
        {"view_id": view_id, "place": place, "shown_id": turn.view_id, "seconds": turn.seconds}
        for place, turn in enumerate(playlist)
    ]
    if rows:
        await connection.execute(insert(playlists), rows)


async def _players(connection: AsyncConnection, view_id: str) -> list[str]:
    """The names of the playlists that play a view."""
    query = (
        select(views.c.name)
        .join(playlists, playlists.c.view_id == views.c.view_id)
        .where(playlists.c.shown_id == view_id)
        .distinct()
    )
    return list((await connection.execute(query)).scalars())


async def _view(connection: AsyncConnection, view_id: str) -> SavedView | None:
    query = select(views).where(views.c.view_id == view_id)
    found = await _views(connection, (await connection.execute(query)).mappings().all())
    return found[0] if found else None


async def _views(connection: AsyncConnection, rows: Collection[RowMapping]) -> list[SavedView]:
    ids = [row["view_id"] for row in rows if row["kind"] == "playlist"]
    query = select(playlists).where(playlists.c.view_id.in_(ids)).order_by(playlists.c.place)
    turns: dict[str, list[Turn]] = {}
    for turn in (await connection.execute(query)) if ids else ():
        turns.setdefault(turn.view_id, []).append(Turn(view_id=turn.shown_id, seconds=turn.seconds))
    return [_saved(row, turns.get(row["view_id"], [])) for row in rows]


def _saved(row: RowMapping, playlist: list[Turn]) -> SavedView:
    values = {name: value for name, value in row.items() if name != "look"}
    return SavedView(**values, **row["look"], playlist=playlist)


async def _is_place(connection: AsyncConnection, area_id: str) -> bool:
    """The city or a district: what sensors and incidents belong to."""
    query = select(areas.c.area_id).where(
        areas.c.area_id == area_id, areas.c.level.in_(("city", "district"))
    )
    return (await connection.execute(query)).first() is not None


async def _claim(connection: AsyncConnection, name: str, view_id: str) -> None:
    query = select(views.c.view_id).where(views.c.name == name, views.c.view_id != view_id)
    if (await connection.execute(query)).first() is not None:
        raise NameTaken(name)
