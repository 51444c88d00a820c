"""A refusal without a task is said and counted once, or left to the ordinary way."""

from services.ingest import metrics
from services.ingest.border.refusals import PAUSED_BYTES, Refusals
from services.ingest.keys.quotas import Defaults, Quotas
from shared.web.identity import Identity, Quota

FLOODER = Identity("key", "flooder", "", frozenset(["post"]), "f", None, Quota(0.001, 1))


def counted() -> float:
    return float(metrics.REFUSED.labels("http", "quota_readings", "key")._value.get())


def test_a_refusal_is_counted_by_whoever_says_it() -> None:
    account = Quotas(Defaults()).account(FLOODER)
    said: list[tuple[int, bytes, object]] = []
    assert account.begin(1) is None
    excess = account.begin(100)
    assert excess is not None
    before = counted()

    def answer(status: int, body: bytes, headers: object) -> None:
        said.append((status, body, headers))

    doors = Refusals()
    assert not doors.prompt(answer, FLOODER, account, excess, PAUSED_BYTES + 1)
    assert counted() == before and not said
    assert doors.prompt(answer, FLOODER, account, excess, 100)
    assert doors.prompt(answer, FLOODER, account, excess, 100)
    assert counted() == before + 2
    assert said[0] == said[1] and said[0][0] == 429 and b'"code":"over_quota"' in said[0][1]
