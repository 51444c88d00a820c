"""Refusing what is over quota: cheap for us, slow for whoever does not heed it.

The first refusals of a second are answered at once. A sender that keeps on coming gets the further
ones after a pause, so that its connections stand still instead of keeping us busy; there is room
for so many of them, and beyond it (or with a long body under way) the connection is closed.
"""

import asyncio
from collections.abc import Sequence
from functools import lru_cache

from starlette.types import Send

from services.ingest import metrics
from services.ingest.keys.quotas import Account, Excess, Header, Insistence
from shared.clock import monotonic
from shared.errors import Overloaded
from shared.web.exchange import Headers
from shared.web.identity import Identity
from shared.web.problems import Problem, encode, from_error
from shared.web.prompt import Answer as Respond

AT_ONCE = 20  # refusals of one key in one second that are answered without a pause
PAUSE_SECONDS = 0.5
MAX_PAUSED = 512  # in one process
PAUSED_BYTES = 64 * 1024  # a longer body would fill buffers while its refusal waits

_TYPE = "https://iana.org/assignments/http-problem-types#quota-exceeded"
_UNITS = {
    "readings": "{limit} readings",
    "bytes": "{limit} bytes",
    "requests": "{limit} requests at the same time",
}


class _Excessive(Problem):
    """429 with `Retry-After`; 413 if it is larger than a burst and so can never be taken.
    `left`: what the account's headers say."""

    def __init__(self, excess: Excess, left: Sequence[Header]) -> None:
        headers = {name.decode(): value.decode() for name, value in left}
        if excess.seconds is None:
            amount = _UNITS[excess.policy].format(limit=excess.limit)
            detail = f"This key takes at most {amount} at once: send smaller batches."
            super().__init__(
                413, "Larger than the quota", detail, code="too_large", headers=headers,
                **{"violated-policies": [excess.policy], "limit": excess.limit},
            )  # fmt: skip
        else:
            detail = f"The quota of this key is used up ({excess.policy}): come back later."
            super().__init__(
                429, "Quota exceeded", detail, code="over_quota",
                headers=headers | {"retry-after": str(excess.seconds)},
                type=_TYPE, **{"violated-policies": [excess.policy]},
                retry_after_seconds=excess.seconds,
            )  # fmt: skip


class OverQuota(_Excessive):
    """A request over its key's quota. `size`: bytes of its body, 0 if unknown."""

    def __init__(self, identity: Identity, account: Account, excess: Excess, size: int) -> None:
        super().__init__(excess, account.headers())
        self.account, self.size = account, size
        _note(identity, excess)


class Refusals:
    """Answers them on the hot path."""

    def __init__(self) -> None:
        self._paused = 0
        self._overloaded = Insistence()

    async def answer(self, send: Send, refusal: OverQuota) -> None:
        """429 or 413: now, after a pause, or with the end of the connection."""
        await self._refuse(send, refusal, refusal.account.refuse(), refusal.size)

    def prompt(
        self, answer: Respond, identity: Identity, account: Account, excess: Excess, size: int
    ) -> bool:
        """`answer` without a task. False: it may have to be closed, which is not this way."""
        if not self._may_pause(size):
            return False
        _note(identity, excess)
        said = _said(excess, tuple(account.headers()))
        if account.refuse() > AT_ONCE:
            self._count(1)
            loop = asyncio.get_running_loop()
            loop.call_later(PAUSE_SECONDS, self._end_pause, answer, said)
        else:
            answer(*said)
        return True

    async def overloaded(self, send: Send, error: Overloaded, size: int) -> None:
        """503, in the same way, whoever asks. `size`: bytes of the body, 0 if unknown."""
        metrics.REFUSED.labels("http", "overload", "unknown").inc()
        await self._refuse(send, from_error(error), self._overloaded.count(monotonic()), size)

    async def _refuse(self, send: Send, problem: Problem, insisting: int, size: int) -> None:
        close = False
        if insisting > AT_ONCE:
            close = not self._may_pause(size)
            if not close:
                await self._pause()
        body = encode(problem)
        headers = [
            *headers_of(problem),
            (b"content-length", b"%d" % len(body)),
            *([(b"connection", b"close")] if close else []),
        ]
        await send({"type": "http.response.start", "status": problem.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _may_pause(self, size: int) -> bool:
        return 0 < size <= PAUSED_BYTES and self._paused < MAX_PAUSED

    async def _pause(self) -> None:
        self._count(1)
        try:
            await asyncio.sleep(PAUSE_SECONDS)
        finally:
            self._count(-1)

    def _end_pause(self, answer: Respond, said: tuple[int, bytes, Headers]) -> None:
        self._count(-1)
        answer(*said)

    def _count(self, more: int) -> None:
        self._paused += more
        metrics.HELD_REFUSALS.set(self._paused)


def _note(identity: Identity, excess: Excess) -> None:
    metrics.REFUSED.labels("http", f"quota_{excess.policy}", identity.kind).inc()


@lru_cache(maxsize=256)
def _said(excess: Excess, left: tuple[Header, ...]) -> tuple[int, bytes, Headers]:
    """Status, body and headers: who does not heed a refusal is told the same again and again."""
    problem = _Excessive(excess, left)
    return problem.status, encode(problem), headers_of(problem)


def headers_of(problem: Problem) -> Headers:
    """Of its answer, beyond the length."""
    named = [(name.lower().encode(), value.encode()) for name, value in problem.headers.items()]
    return [(b"content-type", b"application/problem+json"), *named]
