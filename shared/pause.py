"""Waiting for a condition, with a deadline: the only way anything here waits."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from shared.clock import monotonic

LOOK_SECONDS = 0.05


def until(condition: Callable[[], bool], seconds: float, every: float = LOOK_SECONDS) -> bool:
    """True as soon as `condition()` is; False when `seconds` are over. It is asked again `every`
    so many seconds."""
    deadline = monotonic() + seconds
    while not condition():
        if monotonic() >= deadline:
            return False
        time.sleep(every)
    return True


async def eventually(condition: Callable[[], Awaitable[bool]], seconds: float) -> bool:
    """`until` for coroutines."""
    deadline = monotonic() + seconds
    while not await condition():
        if monotonic() >= deadline:
            return False
        await asyncio.sleep(LOOK_SECONDS)
    return True
