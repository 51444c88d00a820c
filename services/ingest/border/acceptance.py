"""From items to an answer: judged, charged, published; what every format of a post ends in."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from services.ingest import metrics
from services.ingest.border.decode import Items, Malformed
from services.ingest.border.group_commit import GroupCommit, Trace
from services.ingest.border.intake import Intake, Refused, Taken, TooManyItems
from services.ingest.border.judge import Rights
from services.ingest.border.overload import Guard
from services.ingest.border.refusals import OverQuota
from services.ingest.keys.quotas import Account
from shared.errors import Overloaded
from shared.web.identity import Identity
from shared.web.problems import Problem

_ACCEPTED = metrics.ACCEPTED.labels("http")
encode = msgspec.json.Encoder().encode


class Answer(msgspec.Struct):
    """`BatchAnswer`, encoded fast."""

    receipt: str | None
    accepted: int
    rejected: Sequence[Refused]


@dataclass(frozen=True, slots=True)
class Poster:
    """Who posts, the account that pays, how many bytes of the body it has paid for, and the W3C
    context that came along."""

    identity: Identity
    account: Account
    paid: int
    parent: bytes | None = None


class Places(NamedTuple):
    """(partition, offset) of records, in one incarnation of the log."""

    incarnation: str
    places: list[tuple[int, int]]


class Acceptance:
    """Answers 202 only after the log has the batch."""

    def __init__(self, intake: Intake, commits: GroupCommit, guard: Guard) -> None:
        self._intake = intake
        self._commits = commits
        self._guard = guard

    async def take(
        self, poster: Poster, items: Items, size: int, trace: Trace | None = None
    ) -> tuple[int, bytes]:
        """Status and body for `items` of a body of `size` bytes. Raises `Problem`."""
        taken = await self.judge(items, rights_of(poster.identity))
        if not len(items):
            raise Problem(422, "Empty batch", "The array holds no reading.", code="empty")
        excess = poster.account.charge(len(items), size - poster.paid)
        if excess is not None:
            raise OverQuota(poster.identity, poster.account, excess, size)
        receipt = None
        if taken.partitions:
            try:
                # 202 only after this: the sender keeps no copy.
                name = poster.identity.name
                receipt = await self._commits.publish(taken, name, trace, poster.parent)
            except Overloaded as error:
                self._guard.trip(error)
                raise
        count(taken.accepted, taken.refused)
        status = 202 if receipt is not None else 422
        return status, encode(Answer(receipt, taken.accepted, taken.refused))

    async def append(self, taken: Taken, source: str) -> Places:
        """A slice of a stream, durable. Raises `Overloaded` also when the writer is behind."""
        self._guard.check()
        try:
            places = await self._commits.append(taken, source)
        except Overloaded as error:
            self._guard.trip(error)
            raise
        return Places(await self._commits.incarnation(), places)

    async def judge(self, items: Items, rights: Rights) -> Taken:
        """Every item's verdict. Raises `Problem` 413."""
        try:
            return await self._intake.take_items(items, rights)
        except TooManyItems as error:
            detail = f"A batch has at most {error.limit} readings."
            raise Problem(
                413, "Batch too large", detail, code="too_large", max_batch_items=error.limit
            ) from None


def malformed(error: Malformed) -> Problem:
    """A body that is no JSON as a problem."""
    detail = f"The body is not JSON: {error.detail}."
    return Problem(400, "Malformed JSON", detail, code="malformed", position=error.position)


def rights_of(identity: Identity) -> Rights:
    """What a key may do beyond posting; an administrator may all."""
    every = identity.role == "admin"
    return Rights(
        backfill=every or "backfill" in identity.scopes,
        correct=every or "correct" in identity.scopes,
        restrictions=identity.restrictions,
    )


def count(accepted: int, refused: Sequence[Refused] = ()) -> None:
    """In the metrics: how many readings, and those that were not taken."""
    _ACCEPTED.inc(accepted)
    for one in refused:
        metrics.REJECTED.labels("http", one.code.value).inc()
