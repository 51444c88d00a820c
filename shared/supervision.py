"""Jobs that are run until they are told to stop, and starts that wait for what they need."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from itertools import chain, repeat
from typing import TypeVar

from sqlalchemy.exc import OperationalError

from shared.errors import Unavailable
from shared.metrics import JOB_RESTARTS

_log = logging.getLogger(__name__)

DRAIN_SECONDS = 8.0
BACKOFF_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0)

T = TypeVar("T")
Job = Callable[[asyncio.Event], Awaitable[None]]


async def supervise(name: str, job: Job, stop: asyncio.Event) -> None:
    """Run a job until `stop`, again and again with backoff whatever breaks it."""
    failures = 0
    while not stop.is_set():
        try:
            await job(stop)
            failures = 0
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            # Something that it waited for was cancelled: that is no reason for it to end.
            _log.exception("job %s was cut short; restarting it", name)
        except (Unavailable, OperationalError) as error:
            _log.warning("job %s: %s; trying again", name, first_line(error))
        except Exception:  # one broken job must not take the others with it
            _log.exception("job %s failed; restarting it", name)
        if stop.is_set():
            return
        JOB_RESTARTS.labels(name).inc()
        pause = BACKOFF_SECONDS[min(failures, len(BACKOFF_SECONDS) - 1)]
        failures += 1
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), pause)


async def drain(tasks: Sequence["asyncio.Task[None]"]) -> None:
    """Wait for tasks that were told to stop; whatever is late is cancelled."""
    _, late = await asyncio.wait(tasks, timeout=DRAIN_SECONDS)
    for task in late:
        _log.warning("%s did not stop in time and is cancelled", task.get_name())
        task.cancel()
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(outcome, Exception):
            _log.error("while stopping: %s", outcome)


async def patiently(begin: Callable[[], Awaitable[T]]) -> T:
    """What `begin` returns once the log and the database answer; each failure is logged.

    A process that starts while they are away waits for them: whoever starts it need not know in
    which order, and a restart storm is spared.
    """
    for pause in chain(BACKOFF_SECONDS, repeat(BACKOFF_SECONDS[-1])):
        try:
            return await begin()
        except (Unavailable, OperationalError) as error:
            _log.warning("starting: %s; trying again in %g s", first_line(error), pause)
            await asyncio.sleep(pause)
    raise AssertionError("there is no last pause")


def first_line(error: Exception) -> str:
    """Of what an error says."""
    return str(error).partition("\n")[0]
