"""How long the event loop lets others wait: a probe that every process carries."""

import asyncio

from shared.clock import monotonic, thread_seconds
from shared.metrics import LOOP_LAG, LOOP_WORST, LOOP_WORST_CPU

EVERY_SECONDS = 0.05
WINDOW_SECONDS = 10.0


class LoopLag:
    """`run` is a job: it asks to be woken at once and again, and measures how late it is."""

    def __init__(self) -> None:
        self._late = _Worst()
        self._busy = _Worst()

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`."""
        while not stop.is_set():
            due, spent = monotonic() + EVERY_SECONDS, thread_seconds()
            await asyncio.sleep(EVERY_SECONDS)
            now = monotonic()
            self.note(max(0.0, now - due), thread_seconds() - spent, now)

    def note(self, late: float, busy: float, now: float) -> None:
        """It was late by so many seconds, and the loop's thread used `busy` seconds of CPU since it
        asked: the lesser of both is what the loop's own work held up. `now`: monotonic seconds."""
        LOOP_LAG.observe(late)
        LOOP_WORST.set(self._late.note(late, now))
        LOOP_WORST_CPU.set(self._busy.note(min(late, busy), now))


class _Worst:
    """The largest value of this window and the one before it."""

    def __init__(self) -> None:
        self._before = self._now = 0.0
        self._turned = monotonic()

    def note(self, value: float, now: float) -> float:
        """With one more value."""
        if now - self._turned > WINDOW_SECONDS:
            self._before, self._now, self._turned = self._now, 0.0, now
        self._now = max(self._now, value)
        return max(self._before, self._now)
