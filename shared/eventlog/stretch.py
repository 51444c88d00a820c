"""A stretch of a topic read again, beside whatever group follows it."""

import logging
from collections.abc import Awaitable, Callable, Mapping

from shared.clock import monotonic
from shared.errors import Unavailable
from shared.eventlog.log import EventLog, Record

_log = logging.getLogger(__name__)

BATCH_RECORDS = 500
WAIT_SECONDS = 0.5
SILENT_SECONDS = 30.0

Take = Callable[[Record], Awaitable[None]]


async def outrun(
    log: EventLog, topic: str, reached: Callable[[], Awaitable[Mapping[int, int]]]
) -> dict[int, int]:
    """Partition → its end, where somebody has `reached` an offset beyond it: such a log was made
    anew. Who goes on while we ask for the ends is not beyond them, so `reached` is asked first."""
    known = await reached()
    ends = await log.ends(topic)
    return {at: end for at, end in ends.items() if known.get(at, 0) > end}


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
