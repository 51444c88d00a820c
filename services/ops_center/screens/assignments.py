"""What a screen is to show: asked of the database, remembered for two seconds."""

import asyncio
from typing import Protocol

from services.ops_center.screens.saved import SavedView, Screen
from shared.clock import monotonic
from shared.contracts.live import MapCentre, ScreenInfo, ShownView
from shared.web.identity import Identity

FRESH_SECONDS = 2.0
KEPT = 4096


class Source(Protocol):
    """See `repository.Shelf`."""

    async def screen(self, screen_id: str) -> Screen | None:
        """One."""
        ...

    async def shown(self, view_id: str) -> list[tuple[SavedView, int | None]]:
        """What a screen of this view shows, in turn."""
        ...


class Assignments:
    """Many sockets of one screen ask once."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._known: dict[str, tuple[float, ScreenInfo | None]] = {}
        self._asking: dict[str, asyncio.Task[ScreenInfo | None]] = {}

    async def of(self, identity: Identity) -> ScreenInfo | None:
        """None for whoever is not a screen."""
        if identity.kind != "screen":
            return None
        screen_id = identity.key_id.removeprefix("screen:")
        known = self._known.get(screen_id)
        if known is not None and monotonic() - known[0] < FRESH_SECONDS:
            return known[1]
        task = self._asking.get(screen_id)
        if task is None:
            task = self._asking[screen_id] = asyncio.ensure_future(self._ask(screen_id))
        return await asyncio.shield(task)

    async def _ask(self, screen_id: str) -> ScreenInfo | None:
        asked = monotonic()
        try:
            screen = await self._source.screen(screen_id)
            shown = await self._source.shown(screen.view_id) if screen and screen.view_id else []
        finally:
            del self._asking[screen_id]
        info = None
        if screen is not None:
            views = [_shown(view, seconds) for view, seconds in shown]
            info = ScreenInfo(screen_id, screen.name, views)
        if len(self._known) >= KEPT:
            self._known.clear()
        self._known[screen_id] = asked, info
        return info


def _shown(view: SavedView, seconds: int | None) -> ShownView:
    centre = None if view.centre is None else MapCentre(**view.centre.model_dump())
    return ShownView(
        view.view_id,
        view.name,
        centre,
        view.area_id,
        list(view.domains),
        view.theme,
        view.language,
        list(view.panels),
        seconds,
    )
