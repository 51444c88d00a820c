"""Token buckets per key: who may begin a request, what it costs, when to come again.

A request may begin while its key's buckets hold anything, so that a refusal costs neither reading
nor decoding a body. What it turns out to hold may overdraw a bucket, by one burst at most; the
debt is paid back by waiting. Over time no key gets more than its rate.

The buckets are this process's: with n replicas of a door each holds the whole quota.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, inf
from typing import NamedTuple

from shared.clock import monotonic
from shared.web.identity import Identity, Quota

MAX_ACCOUNTS = 10_000
ONE = 1 - 1e-6  # the least that must be left, whatever rounding did to it
OPEN_REQUESTS = 512  # of one key at once in one process

Header = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Defaults:
    """What a key without a quota of its own gets; 0: unlimited. Bursts last `burst_seconds`."""

    readings_per_second: float = 0
    bytes_per_second: float = 0
    burst_seconds: float = 10


class Excess(NamedTuple):
    """Why a request is refused. `policy`: readings, bytes or requests.

    `seconds` until it may begin, None when it never may: it is larger than a burst.
    """

    policy: str
    seconds: int | None
    limit: int


class Bucket:
    """`balance` of `burst` at most, refilled by `rate` a second. A rate of 0: unlimited."""

    __slots__ = ("at", "balance", "burst", "label", "name", "rate", "unit")

    def __init__(self, name: str, unit: str, rate: float, burst: float, now: float) -> None:
        self.name = name
        self.label = name.encode()
        self.unit = unit
        self.rate = rate
        self.burst = burst if rate else inf
        self.balance = self.burst
        self.at = now

    def refill(self, now: float) -> None:
        """Up to `now` (monotonic seconds)."""
        if self.rate:
            self.balance = min(self.burst, self.balance + (now - self.at) * self.rate)
            self.at = now

    @property
    def limit(self) -> int:
        """The most that may come at once."""
        return int(self.burst)

    def wait(self) -> int:
        """Whole seconds until something is left; 0 if there is."""
        return 0 if self.balance >= ONE else max(1, ceil((ONE - self.balance) / self.rate))

    def policy(self) -> str:
        """Its item of `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers)."""
        window = max(1, round(self.burst / self.rate))
        return f'"{self.name}";q={self.limit};qu="{self.unit}";w={window}'

    def left(self) -> bytes:
        """Its item of `RateLimit`: what is left, and how long that must last."""
        left = int(self.balance + 1 - ONE)
        if left <= 0:
            return b'"%b";r=0;t=%d' % (self.label, self.wait())
        full = (self.burst - self.balance) / self.rate
        return b'"%b";r=%d;t=%d' % (self.label, left, full if full > 1 else 1)


class Insistence:
    """Counts what is refused per second, to tell who does not heed a refusal."""

    __slots__ = ("_count", "_since")

    def __init__(self) -> None:
        self._count, self._since = 0, 0.0

    def count(self, now: float) -> int:
        """One more; how many there were in the second that is running."""
        if now - self._since >= 1:
            self._count, self._since = 0, now
        self._count += 1
        return self._count


class Account:
    """What one key has left, in one process."""

    __slots__ = (
        "_counted", "_insistence", "_policy", "_shown", "_timer", "bytes", "open", "quota",
        "readings",
    )  # fmt: skip

    def __init__(self, quota: Quota, defaults: Defaults, timer: Callable[[], float]) -> None:
        now = timer()
        self.quota = quota
        self._timer = timer
        self.readings = Bucket(
            "readings", "readings",
            *_terms(quota.readings_per_second, quota.readings_burst,
                    defaults.readings_per_second, defaults.burst_seconds), now,
        )  # fmt: skip
        self.bytes = Bucket(
            "bytes", "content-bytes",
            *_terms(quota.bytes_per_second, quota.bytes_burst,
                    defaults.bytes_per_second, defaults.burst_seconds), now,
        )  # fmt: skip
        self.open = 0
        self._insistence = Insistence()
        self._counted = [bucket for bucket in (self.readings, self.bytes) if bucket.rate]
        policies = ", ".join(bucket.policy() for bucket in self._counted)
        self._policy = (b"ratelimit-policy", policies.encode())
        self._shown: tuple[float, float, list[Header]] = (-inf, -inf, [])

    def begin(self, size: int) -> Excess | None:
        """Begin a request of `size` bytes (0 if unknown), or say why not. `end` it afterwards."""
        now = self._timer()
        readings, held = self.readings, self.bytes
        readings.refill(now)
        held.refill(now)
        if readings.balance < ONE:
            return Excess("readings", readings.wait(), readings.limit)
        if held.balance < ONE:
            return Excess("bytes", held.wait(), held.limit)
        if size > held.burst:
            return Excess("bytes", None, held.limit)
        if self.open >= OPEN_REQUESTS:
            return Excess("requests", 1, OPEN_REQUESTS)
        self.open += 1
        readings.balance -= 1  # so that a body without readings costs something too
        held.balance -= size
        return None

    def take_back(self, size: int) -> None:
        """A begun request of `size` bytes goes another way, where it begins anew."""
        self.open -= 1
        self.readings.balance += 1
        self.bytes.balance += size

    def charge(self, readings: int, more_bytes: int = 0) -> Excess | None:
        """What a begun request holds, beyond what `begin` knew; the reason if it is too much.

        What is too much is charged all the same, up to a burst: its body has been decoded.
        """
        excess = _take(self.bytes, more_bytes) if more_bytes else None
        return _take(self.readings, readings, begun=1) or excess

    def wait(self) -> int:
        """Whole seconds until something is left of everything; 0 if there is."""
        now = self._timer()
        self.readings.refill(now)
        self.bytes.refill(now)
        return max(self.readings.wait(), self.bytes.wait())

    def end(self) -> None:
        """A request that was begun is answered."""
        self.open -= 1

    def refuse(self) -> int:
        """Count a refusal; how many there were in the second that is running."""
        return self._insistence.count(self._timer())

    def headers(self) -> list[Header]:
        """`RateLimit` and `RateLimit-Policy`; empty for a key without a quota."""
        if not self._counted:
            return []
        readings, held, shown = self._shown
        if readings != self.readings.balance or held != self.bytes.balance:
            left = b", ".join([bucket.left() for bucket in self._counted])
            shown = [self._policy, (b"ratelimit", left)]
            self._shown = self.readings.balance, self.bytes.balance, shown
        return shown

    @property
    def idle(self) -> bool:
        """Nothing is lost by forgetting it."""
        full = (
            self.readings.balance >= self.readings.burst and self.bytes.balance >= self.bytes.burst
        )
        return full and not self.open


class Quotas:
    """Accounts of whoever posts; one object for every door of a process."""

    def __init__(self, defaults: Defaults, timer: Callable[[], float] = monotonic) -> None:
        self._defaults = defaults
        self._timer = timer
        self._accounts: dict[str, Account] = {}

    def account(self, identity: Identity) -> Account:
        """The account that `identity` pays from. Its balance survives a change of its name."""
        account = self._accounts.get(identity.key_id)
        if account is None or (
            account.quota is not identity.quota and account.quota != identity.quota
        ):
            account = self._open(identity)
        return account

    def _open(self, identity: Identity) -> Account:
        """Anew, also when an administrator has changed the quota: with a full burst."""
        if len(self._accounts) >= MAX_ACCOUNTS:
            now = self._timer()
            for known in self._accounts.values():
                known.readings.refill(now)
                known.bytes.refill(now)
            self._accounts = {name: one for name, one in self._accounts.items() if not one.idle}
        account = Account(identity.quota, self._defaults, self._timer)
        self._accounts[identity.key_id] = account
        return account


def _terms(
    rate: float | None, burst: int | None, default_rate: float, burst_seconds: float
) -> tuple[float, float]:
    """(rate, burst) of a bucket."""
    rate = default_rate if rate is None else rate
    return rate, max(1, rate * burst_seconds) if burst is None else burst


def _take(bucket: Bucket, amount: int, begun: int = 0) -> Excess | None:
    """Charge `amount`, of which `begun` is charged already."""
    owed = bucket.balance - (amount - begun)
    bucket.balance = max(-bucket.burst, owed)
    if amount > bucket.burst:
        return Excess(bucket.name, None, bucket.limit)
    if owed < -bucket.burst:
        return Excess(bucket.name, bucket.wait(), bucket.limit)
    return None
