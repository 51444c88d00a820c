"""A stretch of a topic read again, beside whatever group follows it."""

import logging
from collections.abc import Awaitable, Callable

from shared.clock import monotonic
from shared.errors import Unavailable
from shared.eventlog.log import EventLog, Record

_log = logging.getLogger(__name__)

BATCH_RECORDS = 500
WAIT_SECONDS = 0.5
SILENT_SECONDS = 30.0

Take = Callable[[Record], Awaitable[None]]


async def replay(
    log: EventLog, topic: str, partition: int, first: int, following: int, take: Take
) -> None:
    """Give the records from `first` to the one before `following` to `take`, in order. What the
    log has dropped is missing, and logged as an error. Raises `Unavailable`."""
    ends = await log.ends(topic)
    oldest = (await log.starts(topic))[partition]
    following = min(following, ends[partition])
    if oldest > first:
        _log.error("%s/%d: %d to %d are dropped and cannot be read again",
                   topic, partition, first, oldest)  # fmt: skip
    at, heard = max(first, oldest), monotonic()
    if at >= following:
        return
    async with log.read(topic, {**ends, partition: at}) as reader:
        while at < following:
            for record in await reader.batch(BATCH_RECORDS, WAIT_SECONDS):
                if record.partition == partition and at <= record.offset < following:
                    await take(record)
                    at, heard = record.offset + 1, monotonic()
            if monotonic() - heard > SILENT_SECONDS:
                raise Unavailable(f"{topic}/{partition} is silent at {at}")
