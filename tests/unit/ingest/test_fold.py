"""What a batch asks of the database, in log order per key."""

import struct
from typing import Literal

from hypothesis import given
from hypothesis import strategies as st

from services.ingest.storage.copyrows import EPOCH_US, HEADER, TRAILER, encode_rows
from services.ingest.storage.fold import (
    LAST_US,
    Arrival,
    Key,
    Origin,
    Value,
    arrival_of,
    fold,
    settle,
)
from shared.contracts.reading import Reading

KEY: Key = ("s", "m", 1)


def arrival(
    value: float,
    *,
    replace: bool = False,
    at: int = 1,
    quality: Literal["good", "suspect", "bad"] = "good",
) -> Arrival:
    return arrival_of(Reading("s", "m", at, value, quality, replace), Origin(0, 0, "test"))


def test_repeats_in_one_batch_are_one_row() -> None:
    folded = fold([arrival(1.0), arrival(1.0), arrival(2.0, at=2)])
    assert (len(folded.plain), len(folded.repeats), folded.disputed) == (2, 1, {})


def test_the_first_value_wins_over_a_later_one() -> None:
    folded = fold([arrival(1.0), arrival(2.0), arrival(1.0)])
    settled = settle(folded.disputed, {})
    assert settled.inserts == {KEY: (1.0, 0)}
    assert [a.value for a in settled.conflicts] == [(2.0, 0)]
    assert settled.repeats == 1


def test_what_is_stored_wins_over_the_first_of_the_batch() -> None:
    settled = settle(fold([arrival(1.0), arrival(2.0)]).disputed, {KEY: (2.0, 0)})
    assert [a.value for a in settled.conflicts] == [(1.0, 0)]
    assert (settled.inserts, settled.updates, settled.repeats) == ({}, {}, 1)


def test_replace_supersedes_and_is_recorded() -> None:
    settled = settle(fold([arrival(2.0, replace=True)]).disputed, {KEY: (1.0, 0)})
    assert settled.updates == {KEY: (2.0, 0)}
    assert [(c.old, c.arrival.value) for c in settled.corrections] == [((1.0, 0), (2.0, 0))]


def test_replace_of_nothing_is_an_insert() -> None:
    settled = settle(fold([arrival(2.0, replace=True)]).disputed, {})
    assert (settled.inserts, settled.corrections) == ({KEY: (2.0, 0)}, [])


def test_another_quality_is_another_value() -> None:
    folded = fold([arrival(1.0), arrival(1.0, quality="bad")])
    assert len(settle(folded.disputed, {}).conflicts) == 1


def test_what_no_row_can_hold_is_poison() -> None:
    beyond = arrival(1.0, at=LAST_US + 1)
    nul = arrival_of(Reading("s\0", "m", 1, 1.0), Origin(0, 0, "test"))
    infinite = arrival(float("inf"), at=3)
    assert [a for a, _ in fold([beyond, nul, infinite]).poison] == [beyond, nul, infinite]


@given(
    st.lists(st.tuples(st.integers(0, 2), st.booleans()), max_size=8),
    st.none() | st.integers(0, 2),
)
def test_one_batch_or_many_end_alike(steps: list[tuple[int, bool]], before: int | None) -> None:
    start: dict[Key, Value] = {} if before is None else {KEY: (float(before), 0)}
    arrivals = [arrival(float(value), replace=replace) for value, replace in steps]
    one_by_one, conflicts = dict(start), 0
    for each in arrivals:
        settled = settle({KEY: [each]}, one_by_one)
        one_by_one |= settled.inserts | settled.updates
        conflicts += len(settled.conflicts)
    at_once = settle({KEY: arrivals}, start)
    assert start | at_once.inserts | at_once.updates == one_by_one
    assert len(at_once.conflicts) == conflicts


def test_rows_are_encoded_as_postgresql_reads_them() -> None:
    raw = encode_rows([(("é", "m", EPOCH_US + 7), (1.5, 2))])
    row = struct.pack(">hi2si1siqidih", 5, 2, "é".encode(), 1, b"m", 8, 7, 8, 1.5, 2, 2)
    assert raw == HEADER + row + TRAILER
