"""What is handed over from memory is what the database would have given."""

from hypothesis import given
from hypothesis import strategies as st

from shared.eventlog import recent
from shared.eventlog.log import Record
from shared.eventlog.recent import Recent

TOPIC = "city.readings"


def record(offset: int, size: int = 10) -> Record:
    return Record(TOPIC, 0, offset, "k", b"x" * size, (), 1)


# Ours, or another process's: then this process knows nothing of it.
histories = st.lists(st.tuples(st.booleans(), st.integers(1, 5)), max_size=12)


@given(histories, st.integers(0, 60), st.integers(1, 7))
def test_never_a_gap_and_never_what_another_process_wrote(
    history: list[tuple[bool, int]], offset: int, limit: int
) -> None:
    held, end, ours = Recent(), 0, set()
    for mine, count in history:
        if mine:
            held.add(record(n) for n in range(end, end + count))
            ours |= set(range(end, end + count))
        end += count
    found = held.since(TOPIC, 0, offset, limit)
    if found is None:
        assert offset < end
        return
    assert [each.offset for each in found] == list(range(offset, offset + len(found)))
    assert {each.offset for each in found} <= ours
    if history and history[-1][0] and offset < end:
        assert found  # the newest are ours, and it has reached them


def test_it_is_bounded_by_records_and_by_bytes() -> None:
    held = Recent()
    for start in range(0, 20 * recent.RUN_RECORDS, 100):
        held.add(record(n) for n in range(start, start + 100))
    assert held.since(TOPIC, 0, 0, 10) is None
    assert len(held.since(TOPIC, 0, 20 * recent.RUN_RECORDS - 10, 100) or ()) == 10
    assert len(held._runs[TOPIC, 0].records) <= 2 * recent.RUN_RECORDS

    big = Recent()
    for number in range(20):
        big.add([record(number, recent.RUN_BYTES // 3)])
    run = big._runs[TOPIC, 0]
    assert run.size == sum(len(each.value) for each in run.records) <= 2 * recent.RUN_BYTES
    assert run.end == 20
