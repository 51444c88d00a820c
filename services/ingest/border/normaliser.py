"""The normaliser: `city.inbox`, where producers write, → `city.readings`, by the same intake."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from services.ingest import metrics
from services.ingest.border.batches import RECORD_ITEMS, Shared, to_records
from services.ingest.border.formats.record import Unreadable, read_record, trace_of
from services.ingest.border.intake import Intake, Taken, TooManyItems
from services.ingest.border.judge import Rights
from services.ingest.border.overload import Guard
from services.ingest.keys.quotas import Account, Excess
from services.ingest.quarantine.aside import WHOLE_RECORD, SetAside, as_json
from shared import tracing
from shared.contracts.reading import ItemCode
from shared.contracts.topics import INBOX
from shared.eventlog.log import EventLog, Outgoing, Record
from shared.tracing import Journey

_log = logging.getLogger(__name__)

GROUP = "normaliser"
KEY_HEADER = "yiwang-key"
# Who may write to the topic is the log's own affair (its access lists): a record without a key is
# taken, with no right beyond posting. A key that is named must be valid.
ANONYMOUS = "inbox"
MAX_RECORDS = 500
WAIT_SECONDS = 0.5

Sources = Callable[[str], Awaitable["Source | None"]]


@dataclass(frozen=True, slots=True)
class Source:
    """Who produced a record, and what it may do."""

    name: str
    may_post: bool
    rights: Rights
    account: Account


class Quarantine(Protocol):
    """See `repository.Repository`."""

    async def set_aside(self, rows: Sequence[SetAside], incarnation: str) -> None:
        """Keep; what is kept already is left alone."""
        ...


@dataclass(slots=True)
class _Work:
    """What a fetch of records comes to. Each item has a number of its own in its record of
    `city.readings`, so that two that are set aside there are told apart."""

    parts: list[Shared | list[Outgoing]] = field(default_factory=list)
    accepted: int = 0
    journeys: list[Journey] = field(default_factory=list)
    set_aside: list[SetAside] = field(default_factory=list)

    def add(self, taken: Taken, source: str, journey: Journey | None) -> None:
        """Take what may enter of a record."""
        headers = () if journey is None else (journey.header,)
        self.journeys += () if journey is None else (journey,)
        self.accepted += taken.accepted
        events = trace_of(taken.body)
        if events is not None:  # a record keeps one trace
            some = (taken.partitions, taken.accepted_us, source, events.trace, headers)
            self.parts.append(to_records(*some))
            return
        count, last = taken.size, self.parts[-1] if self.parts else None
        if not isinstance(last, Shared) or last.size + count > RECORD_ITEMS:
            last = Shared()
            self.parts.append(last)
        last.add(taken.partitions, count, taken.accepted_us, source)
        for header in headers:
            last.trace(taken.partitions, header)


class Normaliser:
    """One member of the group `normaliser`."""

    def __init__(
        self,
        log: EventLog,
        intake: Intake,
        sources: Sources,
        anonymous: Source,
        quarantine: Quarantine,
        guard: Guard,
        max_bytes: int,
    ) -> None:
        self._log = log
        self._intake = intake
        self._sources = sources
        self._anonymous = anonymous
        self._guard = guard
        self._max_bytes = max_bytes
        self._quarantine = quarantine

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`. Raises `Unavailable`; what was not committed comes again."""
        async with self._log.consume(INBOX, GROUP) as consumer:
            while not stop.is_set():
                self._guard.check()  # what waits in the inbox is durable there
                records = await consumer.batch(MAX_RECORDS, WAIT_SECONDS)
                if records:
                    self._guard.heard()
                    await self._pass_on(records)
                    await consumer.commit(
                        {record.partition: record.offset + 1 for record in records}
                    )

    async def _pass_on(self, records: Sequence[Record]) -> None:
        work = _Work()
        for record in records:
            await self._take(record, work)
        outgoing = [record for part in work.parts for record in _records(part)]
        # A crash between here and the commit publishes again: the natural key makes it harmless.
        await self._log.publish(outgoing)
        for journey in work.journeys:
            journey.end()
        await self._quarantine.set_aside(work.set_aside, await self._log.incarnation())
        self._count(work)

    async def _take(self, record: Record, work: _Work) -> None:
        source = await self._source(record)
        if source is None or not source.may_post:
            detail = f"the key of header {KEY_HEADER} is not valid for posting"
            work.set_aside.append(_whole(record, "", ItemCode.FORBIDDEN, detail))
            return
        excess = source.account.begin(len(record.value))
        if excess is not None:
            work.set_aside.append(_over_quota(record, source, excess))
            return
        try:
            await self._judge(record, source, work)
        finally:
            source.account.end()

    async def _judge(self, record: Record, source: Source, work: _Work) -> None:
        try:
            items = read_record(record.headers, record.value, self._max_bytes)
            taken = await self._intake.take_items(items, source.rights)
        except Unreadable as error:
            work.set_aside.append(_whole(record, source.name, ItemCode.MALFORMED, str(error)))
            return
        except TooManyItems as error:
            work.set_aside.append(_whole(record, source.name, ItemCode.TOO_LARGE, str(error)))
            return
        excess = source.account.charge(taken.size)
        if excess is not None:
            work.set_aside.append(_over_quota(record, source, excess))
            return
        work.set_aside += _refused(record, source.name, taken)
        parent = tracing.parent_of(record.headers)
        journey = tracing.begin("normaliser: inbox", parent, record.logged_us)
        work.add(taken, source.name, journey)

    async def _source(self, record: Record) -> Source | None:
        for name, value in record.headers:
            if name == KEY_HEADER:
                return await self._sources(value.decode("utf-8", "replace"))
        return self._anonymous

    def _count(self, work: _Work) -> None:
        metrics.ACCEPTED.labels("inbox").inc(work.accepted)
        for row in work.set_aside:
            metrics.REJECTED.labels("inbox", row.code.value).inc()


def _records(part: Shared | list[Outgoing]) -> list[Outgoing]:
    return part.records() if isinstance(part, Shared) else part


def _refused(record: Record, source: str, taken: Taken) -> list[SetAside]:
    return [
        SetAside(
            record.topic,
            record.partition,
            record.offset,
            refused.index,
            source,
            refused.code,
            f"{refused.pointer}: {refused.detail}".lstrip(": "),
            as_json(taken.body.raw(refused.index)),
        )
        for refused in taken.refused
    ]


def _over_quota(record: Record, source: Source, excess: Excess) -> SetAside:
    """Nobody can be told to come back later here, so it is kept to be replayed."""
    metrics.REFUSED.labels("inbox", f"quota_{excess.policy}", "key").inc()
    more = "" if excess.seconds is not None else f": at most {excess.limit} at once"
    detail = f"over the source's quota of {excess.policy}{more}"
    return _whole(record, source.name, ItemCode.OVER_QUOTA, detail)


def _whole(record: Record, source: str, code: ItemCode, detail: str) -> SetAside:
    return SetAside(
        record.topic,
        record.partition,
        record.offset,
        WHOLE_RECORD,
        source,
        code,
        detail,
        as_json(record.value),
    )
