"""`POST /v1/readings`: the hot path, bare ASGI."""

import logging
from collections.abc import Awaitable, Callable, Sequence

import msgspec
from starlette.types import Receive, Scope, Send

from services.ingest import metrics
from services.ingest.border.decode import Malformed
from services.ingest.border.group_commit import GroupCommit
from services.ingest.border.intake import Intake, Refused, Taken, TooManyItems
from services.ingest.border.judge import Rights
from services.ingest.border.overload import Guard
from services.ingest.border.refusals import OverQuota, Refusals
from services.ingest.keys.quotas import Account, Header, Quotas
from services.ingest.requests import (
    BodyReader,
    Gone,
    announced,
    bearer,
    check_content_type,
    respond,
)
from shared.errors import Overloaded
from shared.web.auth import unauthorised
from shared.web.identity import Identity
from shared.web.problems import Problem, from_error, problem_response

_log = logging.getLogger(__name__)
_ACCEPTED = metrics.ACCEPTED.labels("http")
_encode = msgspec.json.Encoder().encode

Identify = Callable[[str], Awaitable[Identity | None]]


class Answer(msgspec.Struct):
    """`BatchAnswer`, encoded fast."""

    receipt: str | None
    accepted: int
    rejected: Sequence[Refused]


class Gateway:
    """Answers 202 only after the log has the batch."""

    def __init__(
        self,
        commits: GroupCommit,
        intake: Intake,
        identify: Identify,
        quotas: Quotas,
        bodies: BodyReader,
        guard: Guard,
    ) -> None:
        self._commits = commits
        self._intake = intake
        self._identify = identify
        self._quotas = quotas
        self._refusals = Refusals()
        self._bodies = bodies
        self._guard = guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        try:
            status, body, more = await self._answer(dict(scope["headers"]), receive)
        except Gone:
            return
        except OverQuota as refusal:
            await self._refusals.answer(send, refusal)
            return
        except Overloaded as error:
            await self._refusals.overloaded(send, error, announced(dict(scope["headers"])))
            return
        except Exception as error:  # every failure is a problem+json
            problem = from_error(error)
            if problem.status == 500:
                _log.exception("POST /v1/readings failed")
            await problem_response(problem)(scope, receive, send)
            return
        await respond(send, status, body, more)

    async def _answer(
        self, headers: dict[bytes, bytes], receive: Receive
    ) -> tuple[int, bytes, list[Header]]:
        self._guard.check()
        identity = await self._admit(bearer(headers))
        account, size = self._quotas.account(identity), announced(headers)
        excess = account.begin(size)  # before anything is read: a refusal must be cheap
        if excess is not None:
            raise OverQuota(identity, account, excess, size)
        try:
            check_content_type(headers)
            status, answer = await self._take(identity, account, size, headers, receive)
        finally:
            account.end()
        return status, answer, account.headers()

    async def _take(
        self,
        identity: Identity,
        account: Account,
        size: int,
        headers: dict[bytes, bytes],
        receive: Receive,
    ) -> tuple[int, bytes]:
        body = await self._bodies.read(headers, receive)
        try:
            taken = await self._judge(body, rights_of(identity))
            excess = account.charge(len(taken.body), len(body) - size)
            if excess is not None:
                raise OverQuota(identity, account, excess, len(body))
            receipt = await self._publish(taken, identity.name)
        finally:
            self._bodies.release(len(body))
        _count(taken)
        status = 202 if receipt is not None else 422
        return status, _encode(Answer(receipt, taken.accepted, taken.refused))

    async def _admit(self, token: str | None) -> Identity:
        identity = await self._identify(token) if token else None
        if identity is None:
            metrics.REFUSED.labels("http", "unauthorised", "unknown").inc()
            raise unauthorised("A valid API key is needed: 'Authorization: Bearer …'.")
        if "post" not in identity.scopes and identity.role != "admin":
            metrics.REFUSED.labels("http", "scope", identity.kind).inc()
            detail = "This needs a key with the scope 'post'."
            raise Problem(403, "Forbidden", detail, code="scope")
        return identity

    async def _judge(self, body: bytes, rights: Rights) -> Taken:
        try:
            taken = await self._intake.take(body, rights)
        except Malformed as error:
            raise Problem(
                400,
                "Malformed JSON",
                f"The body is not JSON: {error.detail}.",
                code="malformed",
                position=error.position,
            ) from None
        except TooManyItems as error:
            detail = f"A batch has at most {error.limit} readings."
            raise Problem(
                413, "Batch too large", detail, code="too_large", max_batch_items=error.limit
            ) from None
        if not len(taken.body):
            raise Problem(422, "Empty batch", "The array holds no reading.", code="empty")
        return taken

    async def _publish(self, taken: Taken, source: str) -> str | None:
        """The receipt, None if there was nothing to publish."""
        if not taken.partitions:
            return None
        try:
            # 202 only after this: the sender keeps no copy.
            return await self._commits.publish(taken, source)
        except Overloaded as error:
            self._guard.trip(error)
            raise


def rights_of(identity: Identity) -> Rights:
    """What a key may do beyond posting; an administrator may all."""
    every = identity.role == "admin"
    return Rights(
        backfill=every or "backfill" in identity.scopes,
        correct=every or "correct" in identity.scopes,
        restrictions=identity.restrictions,
    )


def _count(taken: Taken) -> None:
    _ACCEPTED.inc(taken.accepted)
    for refused in taken.refused:
        metrics.REJECTED.labels("http", refused.code.value).inc()
