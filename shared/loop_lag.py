"""How long the event loop lets others wait: a probe that every process carries."""

import asyncio

from shared.clock import monotonic
from shared.metrics import LOOP_LAG, LOOP_WORST

EVERY_SECONDS = 0.02
WINDOW_SECONDS = 10.0


class LoopLag:
    """`run` is a job: it asks to be woken at once and again, and measures how late it is."""

    def __init__(self) -> None:
        self._before = self._now = 0.0
        self._turned = monotonic()

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`."""
        while not stop.is_set():
            due = monotonic() + EVERY_SECONDS
            await asyncio.sleep(EVERY_SECONDS)
            self.note(max(0.0, monotonic() - due), monotonic())

    def note(self, late: float, now: float) -> None:
        """It was late by so many seconds. `now`: monotonic seconds."""
        LOOP_LAG.observe(late)
        if now - self._turned > WINDOW_SECONDS:
            self._before, self._now, self._turned = self._now, 0.0, now
        self._now = max(self._now, late)
        LOOP_WORST.set(max(self._before, self._now))
