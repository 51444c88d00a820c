"""Starts coroutines without a task: most sends to a socket never have to wait."""

import asyncio
import types
from collections.abc import Coroutine, Generator
from functools import partial
from typing import Any


def begin(coroutine: Coroutine[Any, Any, None]) -> "asyncio.Task[None] | None":
    """Run `coroutine` up to its first wait. None: it is done; else a task that does the rest.

    What it raises before its first wait is raised here. A task per screen and tick would cost
    more than the send itself.
    """
    try:
        waited_for = coroutine.send(None)
    except StopIteration:
        return None
    return asyncio.get_running_loop().create_task(_finish(coroutine, waited_for))


async def _finish(coroutine: Coroutine[Any, Any, None], waited_for: Any) -> None:
    await _rest(coroutine, waited_for)


@types.coroutine
def _rest(coroutine: Coroutine[Any, Any, None], waited_for: Any) -> Generator[Any, Any, None]:
    """Hands the future on which `coroutine` waits to the task, and so on until it is done."""
    while True:
        try:
            answer = yield waited_for
        except BaseException as error:  # cancellation too belongs to the coroutine
            step = partial(coroutine.throw, error)
        else:
            step = partial(coroutine.send, answer)
        try:
            waited_for = step()
        except StopIteration:
            return
