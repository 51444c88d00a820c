"""A portion split at its series' marks: however it is split, every key sees its log order."""

from hypothesis import given
from hypothesis import strategies as st

from services.ingest.storage.delivery import Delivery, deliver
from services.ingest.storage.fold import LAST_US
from services.ingest.storage.marks import Marks
from services.ingest.storage.prepared import prepare, prepare_carefully
from shared.contracts.reading import Batch, Reading, encode_batch
from shared.contracts.topics import READINGS
from shared.eventlog.log import Record

START = 1_777_622_340_000_000


def reading(
    second: int, value: float = 1.0, *, sensor: str = "s", replace: bool = False
) -> Reading:
    return Reading(sensor, "m", START + second * 1_000_000, value, "good", replace)


def record(offset: int, *readings: Reading) -> Delivery:
    value = encode_batch(Batch(list(readings), START, "test"))
    return deliver(Record(READINGS, 0, offset, "", value, (), START))


def test_what_is_newer_than_its_mark_is_copied_and_a_repeat_is_not() -> None:
    marks = Marks()
    first = prepare([record(0, reading(1), reading(2))], marks)
    assert (first.fresh, first.folded.plain) == (2, {})
    second = prepare([record(1, reading(2), reading(3), reading(1), reading(9, sensor="t"))], marks)
    assert second.fresh == 2
    assert [key[2] for key in second.folded.plain] == [START + 2_000_000, START + 1_000_000]


def test_a_replace_and_what_follows_it_under_its_key_keep_their_order() -> None:
    prepared = prepare([record(0, reading(1, 1.0, replace=True), reading(1, 2.0))], Marks())
    assert prepared.fresh == 0
    ((_, arrivals),) = prepared.folded.disputed.items()
    assert [arrival.value[0] for arrival in arrivals] == [1.0, 2.0]


def test_what_no_row_can_hold_spoils_no_mark() -> None:
    marks = Marks()
    beyond = Reading("s", "m", LAST_US + 1, 1.0)
    nul = Reading("s\0", "m", START, 1.0)
    prepared = prepare([record(0, beyond, nul, reading(1))], marks)
    assert (prepared.fresh, len(prepared.folded.poison)) == (1, 2)
    assert prepare([record(1, reading(2))], marks).fresh == 1


def test_marks_are_bounded_and_forgetting_them_is_harmless() -> None:
    marks = Marks(bound=10)
    for number in range(100):
        assert prepare([record(number, reading(1, sensor=f"s{number}"))], marks).fresh == 1
        assert len(marks.known) <= 10


steps = st.lists(
    st.tuples(st.sampled_from("ab"), st.integers(0, 4), st.integers(0, 2), st.booleans()),
    max_size=30,
)


@given(steps)
def test_no_key_is_copied_twice_and_nothing_is_lost(
    given_steps: list[tuple[str, int, int, bool]],
) -> None:
    items = [reading(at, v, sensor=s, replace=r) for s, at, v, r in given_steps]
    portion = [record(n, item) for n, item in enumerate(items)]
    split, careful = prepare(portion, Marks()), prepare_carefully(portion)
    folded = split.folded
    kept = sum(len(arrivals) for arrivals in folded.disputed.values())
    kept += sum(len(repeats) for repeats in folded.repeats.values())
    assert split.fresh + len(folded.plain) + kept == len(items)
    assert (careful.fresh, split.rows) == (0, len(items))
    first_seen: set[tuple[str, int]] = set()
    newest: dict[str, int] = {}
    for item in items:  # what is copied: strictly newer than all before it, no replace
        if item.observed_us > newest.get(item.sensor_id, 0):
            newest[item.sensor_id] = item.observed_us
            if not item.replace:
                first_seen.add((item.sensor_id, item.observed_us))
    assert split.fresh == len(first_seen)
