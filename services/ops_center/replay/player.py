"""Plays one replay to one screen: the clock, the commands, the pace.

Nothing is dropped and nothing waits in a queue: a screen or a database that is slow makes the
replay slow.
"""

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta

from services.ops_center.client import Screen
from services.ops_center.replay.frames import greeting_frame, pulse_frame
from services.ops_center.replay.reel import Reel
from services.ops_center.replay.requests import Change, Wish
from services.ops_center.view import resync_frame, rfc3339
from shared.clock import monotonic
from shared.contracts.live import City
from shared.contracts.replay import Speed, Standing

TICK_SECONDS = 0.25
PULSE_SECONDS = 5.0  # while it is paused
STUCK_SECONDS = 30.0  # a screen that takes nothing for so long is given up
MOVED = "moved"  # the reason of a resync: somewhere else in time


class Player:
    """`wish`: what was asked for first."""

    def __init__(self, reel: Reel, screen: Screen, wish: Wish, city: City) -> None:
        self._reel = reel
        self._screen = screen
        self._wish = wish
        self._city = city
        self._playing = wish.playing
        self._speed: Speed = wish.speed
        self._change: Change | None = None
        self._told = asyncio.Event()

    def steer(self, change: Change | None) -> None:
        """From now on. None: only say where it stands."""
        if change is not None:
            self._change = change if self._change is None else self._change.then(change)
        self._told.set()

    async def run(self) -> None:
        """Until cancelled. Raises `Unavailable`, `TimeoutError` for a screen that takes nothing,
        and whatever a closed socket raises."""
        snapshot = await self._reel.go(self._wish.start, self._speed)
        standing = self._standing()
        await self._send(greeting_frame(self._reel.at, TICK_SECONDS, self._city, standing))
        await self._send(snapshot)
        await self._pulse()
        due = monotonic() + TICK_SECONDS
        while True:
            await self._wait(due if self._playing else monotonic() + PULSE_SECONDS)
            await self._act()
            if not self._playing:
                due = monotonic() + TICK_SECONDS
            elif monotonic() >= due:
                due = max(due + TICK_SECONDS, monotonic())
                await self._play(self._reel.at + timedelta(seconds=TICK_SECONDS * self._speed))
            await self._pulse()

    async def _act(self) -> None:
        change, self._change = self._change, None
        if change is None:
            return
        if change.playing is not None:
            self._playing = change.playing
        if change.speed is not None:
            self._speed = change.speed
            self._reel.set_speed(change.speed)
        if change.at is not None:
            await self._go(change.at)
        if change.step is not None:
            self._playing = False
            await self._play(self._reel.at + change.step)

    async def _go(self, at: datetime) -> None:
        snapshot = await self._reel.go(min(at, self._reel.end), self._speed)
        await self._send(resync_frame(MOVED))
        await self._pulse()  # before the snapshot: whose time it is
        await self._send(snapshot)

    async def _play(self, moment: datetime) -> None:
        async for frames in self._reel.advance(moment):
            for frame in frames:
                await self._send(frame)
        if self._ended:
            self._playing = False

    async def _wait(self, until: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, until - monotonic())):
                await self._told.wait()
        self._told.clear()

    async def _pulse(self) -> None:
        await self._send(pulse_frame(self._reel.at, self._standing()))

    async def _send(self, frame: str) -> None:
        async with asyncio.timeout(STUCK_SECONDS):
            await self._screen.send(frame)

    @property
    def _ended(self) -> bool:
        return self._reel.at >= self._reel.end

    def _standing(self) -> Standing:
        start, end = rfc3339(self._wish.start), rfc3339(self._wish.end)
        return Standing(start, end, self._speed, self._playing, self._ended)
