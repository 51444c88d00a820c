"""The probe of the event loop."""

import asyncio

from shared.clock import monotonic, thread_seconds
from shared.loop_lag import EVERY_SECONDS, WINDOW_SECONDS, LoopLag
from shared.metrics import LOOP_WORST, LOOP_WORST_CPU
from tests.waiting import eventually


def value(gauge: object) -> float:
    return float(gauge._value.get())  # type: ignore[attr-defined]


async def test_a_blocked_loop_is_seen() -> None:
    stop, probe = asyncio.Event(), LoopLag()
    running = asyncio.ensure_future(probe.run(stop))
    await asyncio.sleep(0)
    until = thread_seconds() + 5 * EVERY_SECONDS
    while thread_seconds() < until:
        pass

    async def seen() -> bool:
        return value(LOOP_WORST_CPU) > 3 * EVERY_SECONDS

    assert await eventually(seen, 5)
    stop.set()
    await running


def test_the_worst_is_forgotten_after_two_windows() -> None:
    probe, now = LoopLag(), monotonic()
    probe.note(0.5, 0.2, now)
    assert (value(LOOP_WORST), value(LOOP_WORST_CPU)) == (0.5, 0.2)
    probe.note(0.01, 0.5, now + WINDOW_SECONDS + 1)
    assert (value(LOOP_WORST), value(LOOP_WORST_CPU)) == (0.5, 0.2)
    probe.note(0.02, 0.01, now + 2 * WINDOW_SECONDS + 2)
    assert (value(LOOP_WORST), value(LOOP_WORST_CPU)) == (0.02, 0.01)
