"""`POST /v1/readings` without a task: small plain bodies of keys that are known and have quota.

Whatever else a request is, or does not have, is the gateway's: it decides anew, from the start.
"""

import logging
from collections.abc import Callable
from typing import NamedTuple

from services.ingest.border.acceptance import Answer, count, encode, rights_of
from services.ingest.border.decode import Malformed, read_body
from services.ingest.border.formats.media import is_plain
from services.ingest.border.group_commit import Durable, GroupCommit, receipt_of
from services.ingest.border.intake import Intake, Taken
from services.ingest.border.judge import Rights
from services.ingest.border.overload import Guard
from services.ingest.border.refusals import OverQuota, Refusals
from services.ingest.keys.quotas import Account, Quotas
from services.ingest.requests import bearer
from shared import tracing
from shared.errors import Overloaded
from shared.web import problems
from shared.web.authenticator import token_hash
from shared.web.identity import Identity
from shared.web.prompt import Answer as Respond
from shared.web.prompt import Headers

_log = logging.getLogger(__name__)

SMALL_BYTES = 16 * 1024
PARENT = tracing.HEADER.encode()
SMALL_ITEMS = 100  # judged in one go, while nobody else has his turn
_JSON = (b"content-type", b"application/json")
_PROBLEM = (b"content-type", b"application/problem+json")

Remember = Callable[[bytes], Identity | None]


class AtOnce:
    """`shared.web.prompt.Prompt` of readings."""

    def __init__(
        self,
        intake: Intake,
        commits: GroupCommit,
        remembered: Remember,
        quotas: Quotas,
        refusals: Refusals,
        guard: Guard,
    ) -> None:
        self._intake = intake
        self._commits = commits
        self._remembered = remembered
        self._quotas = quotas
        self._refusals = refusals
        self._guard = guard
        self._whose: tuple[Identity, Rights] | None = None  # of the last request

    def read(self, headers: Headers) -> "_Said | None":
        """Whose it is, of a plain request."""
        named = dict(headers)
        token = bearer(named)
        if not token or not is_plain(named):
            return None
        return _Said(token_hash(token), named.get(PARENT))

    def __call__(self, said: "_Said", body: bytes, answer: Respond) -> bool:
        """Take a request that needs nothing but judgement and the log."""
        if not self._guard.is_open():
            return False
        identity = self._remembered(said.digest)
        if identity is None or "post" not in identity.scopes:
            return False
        account = self._quotas.account(identity)
        excess = account.begin(len(body))
        if excess is not None:
            refusal = OverQuota(identity, account, excess, len(body))
            return self._refusals.prompt(answer, refusal)
        way = _Way(identity, account, said.parent)
        if len(body) <= SMALL_BYTES and self._take(way, body, answer):
            return True
        account.take_back(len(body))
        return False

    def _take(self, way: "_Way", body: bytes, answer: Respond) -> bool:
        identity, account, parent = way
        try:
            items = read_body(body)
            number = len(items)
        except Malformed:
            return False
        if not 0 < number <= SMALL_ITEMS or account.readings.balance < number:
            return False
        taken = self._intake.take_few(items, self._rights(identity))
        if not taken.partitions:
            return False  # nothing to wait for: the gateway says what is wrong
        try:
            waiter = _Poster(taken, account, self._guard, answer)
            self._commits.enter(taken, identity.name, waiter, parent)
        except Overloaded:
            return False
        account.charge(number)
        return True

    def _rights(self, identity: Identity) -> Rights:
        if self._whose is None or self._whose[0] is not identity:
            self._whose = identity, rights_of(identity)
        return self._whose[1]


class _Said(NamedTuple):
    """The key's hash, and the W3C context that came along."""

    digest: bytes
    parent: bytes | None


class _Way(NamedTuple):
    """Who posts, who pays, and the W3C context that came along."""

    identity: Identity
    account: Account
    parent: bytes | None


class _Poster:
    """Waits for its group; a `Waiter`."""

    __slots__ = ("_account", "_answer", "_guard", "_taken")

    def __init__(self, taken: Taken, account: Account, guard: Guard, answer: Respond) -> None:
        self._taken = taken
        self._account = account
        self._guard = guard
        self._answer = answer

    def arrived(self, durable: Durable, first: int) -> None:
        """202, only now: the sender keeps no copy."""
        taken, account = self._taken, self._account
        account.end()
        count(taken)
        receipt = receipt_of(taken, durable, first)
        body = encode(Answer(receipt, taken.accepted, taken.refused))
        self._answer(202, body, [_JSON, *account.headers()])

    def failed(self, error: Exception) -> None:
        """The problem."""
        self._account.end()
        if isinstance(error, Overloaded):
            self._guard.trip(error)
        problem = problems.from_error(error)
        if problem.status == 500:
            _log.error("POST /v1/readings failed", exc_info=error)
        more = [(name.lower().encode(), text.encode()) for name, text in problem.headers.items()]
        self._answer(problem.status, problems.encode(problem), [_PROBLEM, *more])
