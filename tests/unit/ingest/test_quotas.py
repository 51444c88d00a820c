"""Token buckets, with time passed in."""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from services.ingest.keys import quotas
from services.ingest.keys.quotas import Account, Defaults, Excess, Quotas
from shared.web.identity import DEFAULT_QUOTA, Identity, Quota


@dataclass
class Time:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Bank:
    """Quotas at a time of the test's choosing."""

    defaults: Defaults = field(default_factory=Defaults)
    time: Time = field(default_factory=Time)

    def __post_init__(self) -> None:
        self.quotas = Quotas(self.defaults, self.time)

    def account(self, quota: Quota = DEFAULT_QUOTA, key_id: str = "k") -> Account:
        identity = Identity("key", "name", "", frozenset(["post"]), key_id, None, quota)
        return self.quotas.account(identity)


def post(account: Account, readings: int, size: int = 100) -> Excess | None:
    excess = account.begin(size)
    if excess is None:
        excess = account.charge(readings)
        account.end()
    return excess


def test_without_a_quota_everything_may_come() -> None:
    account = Bank().account()
    assert post(account, 10**9, 10**12) is None
    assert account.headers() == []


def test_the_default_counts_where_the_key_says_nothing_and_zero_is_unlimited() -> None:
    bank = Bank(Defaults(readings_per_second=10, burst_seconds=2))
    assert bank.account().readings.burst == 20
    assert bank.account(Quota(0), "free").headers() == []
    assert bank.account(Quota(5, 7), "own").readings.limit == 7


def test_a_used_up_quota_says_when_to_come_again_and_means_it() -> None:
    bank = Bank()
    account = bank.account(Quota(10, 100))
    assert post(account, 100) is None
    refused = post(account, 1)
    assert refused == Excess("readings", 1, 100)
    bank.time.now += 1
    assert post(account, 100) is None  # overdrawn by what came beyond the ten
    refused = post(account, 1)
    assert refused is not None and refused.seconds == 10
    bank.time.now += 8.9
    assert post(account, 1) is not None
    bank.time.now += 1.1
    assert post(account, 1) is None


def test_a_batch_larger_than_the_burst_is_refused_for_ever_and_paid_for() -> None:
    bank = Bank()
    account = bank.account(Quota(10, 100))
    assert post(account, 101) == Excess("readings", None, 100)
    assert post(account, 1) is not None
    bytes_account = bank.account(Quota(None, None, 10, 50), "b")
    assert bytes_account.begin(51) == Excess("bytes", None, 50)


def test_bytes_are_charged_before_anything_is_read() -> None:
    bank = Bank()
    account = bank.account(Quota(None, None, 1000, 1000))
    assert account.begin(1000) is None
    assert account.begin(1) == Excess("bytes", 1, 1000)
    assert account.charge(1, more_bytes=5000) == Excess("bytes", None, 1000)


def test_requests_at_the_same_time_are_bounded() -> None:
    account = Bank().account()
    for _ in range(quotas.OPEN_REQUESTS):
        assert account.begin(1) is None
    assert account.begin(1) == Excess("requests", 1, quotas.OPEN_REQUESTS)
    account.end()
    assert account.begin(1) is None


def test_headers_follow_the_draft() -> None:
    bank = Bank()
    account = bank.account(Quota(10, 100, 1000, 5000))
    post(account, 40, 1000)
    assert dict(account.headers()) == {
        b"ratelimit-policy": b'"readings";q=100;qu="readings";w=10, '
        b'"bytes";q=5000;qu="content-bytes";w=5',
        b"ratelimit": b'"readings";r=60;t=4, "bytes";r=4000;t=1',
    }
    post(account, 60, 1000)
    assert b'"readings";r=0;t=1' in dict(account.headers())[b"ratelimit"]


def test_a_changed_quota_counts_from_the_next_request() -> None:
    bank = Bank()
    assert post(bank.account(Quota(1, 1)), 1) is None
    assert post(bank.account(Quota(1, 1)), 1) is not None
    assert post(bank.account(Quota(5, 5)), 5) is None


def test_idle_accounts_are_forgotten_when_there_are_too_many() -> None:
    bank = Bank()
    busy = bank.account(Quota(1, 100), "busy")
    post(busy, 100)
    for number in range(quotas.MAX_ACCOUNTS + 1):
        bank.account(Quota(1, 100), f"k{number}")
    assert len(bank.quotas._accounts) < quotas.MAX_ACCOUNTS
    assert bank.account(Quota(1, 100), "busy") is busy


@given(
    rate=st.integers(1, 1000),
    burst=st.integers(1, 5000),
    steps=st.lists(st.tuples(st.floats(0, 5), st.integers(1, 6000)), max_size=60),
)
def test_over_time_nobody_gets_more_than_its_rate(
    rate: int, burst: int, steps: list[tuple[float, int]]
) -> None:
    bank = Bank()
    account = bank.account(Quota(rate, burst))
    begun, admitted = bank.time.now, 0
    for pause, readings in steps:
        bank.time.now += pause
        excess = post(account, readings)
        if excess is None:
            admitted += readings
        elif excess.seconds is not None:
            bank.time.now += excess.seconds
            assert account.begin(0) is None, "it may begin when it was told to come again"
            account.end()
    assert admitted <= (bank.time.now - begun) * rate + 2 * burst
