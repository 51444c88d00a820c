"""Waiting in tests: `shared.pause` with deadlines for a machine that does much else meanwhile.

The seconds that a test names are what a quick machine takes at most. Only what fails waits longer.
"""

from collections.abc import Awaitable, Callable

from shared import pause

PATIENCE = 4.0


def until(condition: Callable[[], bool], seconds: float, every: float = pause.LOOK_SECONDS) -> bool:
    """True as soon as `condition()` is; False when `PATIENCE` times `seconds` are over."""
    return pause.until(condition, seconds * PATIENCE, every)


async def eventually(condition: Callable[[], Awaitable[bool]], seconds: float) -> bool:
    """`until` for coroutines."""
    return await pause.eventually(condition, seconds * PATIENCE)
