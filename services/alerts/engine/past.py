"""Reads a stretch of `city.readings` again, beside the group that follows it."""

import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

from shared.clock import monotonic
from shared.contracts.topics import READINGS
from shared.errors import Unavailable
from shared.eventlog.log import EventLog, Record

_log = logging.getLogger(__name__)

BATCH_RECORDS = 500
WAIT_SECONDS = 0.5
SILENT_SECONDS = 30.0

Take = Callable[[Record], Awaitable[None]]


class Past(Protocol):
    """Who can tell what was."""

    async def replay(self, partition: int, first: int, following: int, take: Take) -> None:
        """Give the records from `first` to the one before `following` to `take`, in order."""
        ...


class LoggedPast:
    """`Past` on the log itself."""

    def __init__(self, log: EventLog, topic: str = READINGS) -> None:
        self._log = log
        self._topic = topic

    async def replay(self, partition: int, first: int, following: int, take: Take) -> None:
        """See `Past.replay`. What the log has dropped is missing. Raises `Unavailable`."""
        ends = await self._log.ends(self._topic)
        oldest = (await self._log.starts(self._topic))[partition]
        following = min(following, ends[partition])
        if oldest > first:
            _log.error("%s/%d: %d to %d are dropped, and not judged again",
                       self._topic, partition, first, oldest)  # fmt: skip
        at, heard = max(first, oldest), monotonic()
        if at >= following:
            return
        async with self._log.read(self._topic, {**ends, partition: at}) as reader:
            while at < following:
                for record in await reader.batch(BATCH_RECORDS, WAIT_SECONDS):
                    if record.partition == partition and at <= record.offset < following:
                        await take(record)
                        at, heard = record.offset + 1, monotonic()
                if monotonic() - heard > SILENT_SECONDS:
                    raise Unavailable(f"{self._topic}/{partition} is silent at {at}")
