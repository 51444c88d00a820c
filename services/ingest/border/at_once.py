"""`POST /v1/readings` without a task: small plain bodies of keys that are known and have quota.

Whatever else a request is, or does not have, is the gateway's: it decides anew, from the start.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from services.ingest.border.acceptance import Answer, count, encode, rights_of
from services.ingest.border.decode import Malformed, read_body, read_one
from services.ingest.border.formats.media import is_plain
from services.ingest.border.group_commit import Durable, GroupCommit, receipt_of
from services.ingest.border.intake import Intake, Taken
from services.ingest.border.judge import Rights
from services.ingest.border.overload import Guard
from services.ingest.border.refusals import Refusals, headers_of
from services.ingest.keys.quotas import Account, Quotas
from services.ingest.requests import bearer
from shared import tracing
from shared.errors import Overloaded
from shared.web import problems
from shared.web.authenticator import token_hash
from shared.web.exchange import Headers
from shared.web.identity import Identity
from shared.web.prompt import Answer as Respond

_log = logging.getLogger(__name__)

SMALL_BYTES = 16 * 1024
PARENT = tracing.HEADER.encode()
SMALL_ITEMS = 100  # judged in one go, while nobody else has his turn
_JSON = (b"content-type", b"application/json")

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
            return self._refusals.prompt(answer, identity, account, excess, len(body))
        post = _Post(identity, account, said.parent, answer)
        try:
            number = self._take(post, body) if len(body) <= SMALL_BYTES else 0
        except (Malformed, Overloaded):
            number = 0
        if not number:
            account.take_back(len(body))
            return False
        account.charge(number)
        return True

    def _take(self, post: "_Post", body: bytes) -> int:
        """How many readings it had, 0 if it is not this way's. Raises `Malformed` or
        `Overloaded`."""
        wire = read_one(body) if body.startswith(b"{") else None
        if wire is None:
            return self._take_few(post, body)
        one = self._intake.take_one(wire, self._rights(post.identity))
        if one is None:
            return 0  # the gateway says what is wrong
        waiter = _Single(post, self._guard, one.partition)
        self._commits.enter_one(one, post.identity.name, waiter, post.parent)
        return 1

    def _take_few(self, post: "_Post", body: bytes) -> int:
        items = read_body(body)
        number = len(items)
        if not 0 < number <= SMALL_ITEMS or post.account.readings.balance < number:
            return 0
        taken = self._intake.take_few(items, self._rights(post.identity))
        if not taken.partitions:
            return 0  # nothing to wait for
        waiter = _Few(post, self._guard, taken)
        self._commits.enter(taken, post.identity.name, waiter, post.parent)
        return number

    def _rights(self, identity: Identity) -> Rights:
        if self._whose is None or self._whose[0] is not identity:
            self._whose = identity, rights_of(identity)
        return self._whose[1]


class _Said(NamedTuple):
    """The key's hash, and the W3C context that came along."""

    digest: bytes
    parent: bytes | None


class _Post(msgspec.Struct, frozen=True):
    """Who posts, who pays, the W3C context that came along, and where the answer goes."""

    identity: Identity
    account: Account
    parent: bytes | None
    respond: Respond


@dataclass(slots=True)
class _Poster:
    """Waits for its group; a `Waiter`."""

    post: _Post
    guard: Guard

    def failed(self, error: Exception) -> None:
        """The problem."""
        self.post.account.end()
        if isinstance(error, Overloaded):
            self.guard.trip(error)
        problem = problems.from_error(error)
        if problem.status == 500:
            _log.error("POST /v1/readings failed", exc_info=error)
        self.post.respond(problem.status, problems.encode(problem), headers_of(problem))

    def _accept(self, answer: Answer) -> None:
        """202, only now: the sender keeps no copy."""
        account = self.post.account
        account.end()
        self.post.respond(202, encode(answer), [_JSON, *account.headers()])


@dataclass(slots=True)
class _Few(_Poster):
    """With some readings."""

    taken: Taken

    def arrived(self, durable: Durable, first: int) -> None:
        """They are durable."""
        taken = self.taken
        count(taken.accepted, taken.refused)
        receipt = receipt_of(taken, durable, first)
        self._accept(Answer(receipt, taken.accepted, taken.refused))


@dataclass(slots=True)
class _Single(_Poster):
    """With one reading."""

    partition: int

    def arrived(self, durable: Durable, first: int) -> None:
        """It is durable."""
        count(1)
        self._accept(Answer(durable.receipt_of_one(self.partition, first), 1, ()))
