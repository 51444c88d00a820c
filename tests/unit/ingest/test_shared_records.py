"""Requests that share records: each item keeps its source, each receipt finds its own items."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.border import receipts
from services.ingest.border.batches import Shared
from shared.contracts.reading import Batch, EncodedItems, Reading, decode_batch, encode_batch

PARTITIONS = 3
requests = st.lists(
    st.tuples(
        st.sampled_from(["bus", "gauge", ""]),  # source
        st.lists(st.none() | st.integers(0, PARTITIONS - 1), min_size=1, max_size=5),
    ),
    min_size=1,
    max_size=8,
)


def reading(name: str, index: int) -> Reading:
    return Reading(name, "water.level", 1, 2.5, "good", False, index)


@given(requests)
def test_every_item_is_found_again_by_its_own_request(
    made: list[tuple[str, list[int | None]]],
) -> None:
    """None stands for an item that the border has refused."""
    shared = Shared()
    tokens = []
    for number, (source, items) in enumerate(made):
        partitions: dict[int, list[Reading]] = {}
        for index, partition in enumerate(items):
            if partition is not None:
                partitions.setdefault(partition, []).append(reading(f"{number}", index))
        if len(items) == 1 and partitions:
            [(partition, [only])] = partitions.items()
            first = shared.add_one(partition, only, 5, source)
        else:
            first = shared.add(partitions, len(items), 5, source)
        places = [(partition, 40 + partition) for partition in partitions] or [(0, 40)]
        tokens.append(receipts.encode("life", places, first, len(items)))
    batches = {out.partition: decode_batch(out.value) for out in shared.records()}
    for number, (source, items) in enumerate(made):
        receipt = receipts.decode(tokens[number])
        found = [
            (own, partition, item.sensor_id, name)
            for partition, _ in receipt.places
            if partition in batches
            for name, some in batches[partition].by_source()
            for item in some
            if (own := receipt.own(item.index)) is not None
        ]
        expected = [
            (index, partition, f"{number}", source)
            for index, partition in enumerate(items)
            if partition is not None
        ]
        assert sorted(found) == sorted(expected)


@given(st.lists(st.lists(st.text(max_size=3), min_size=1, max_size=4), min_size=1, max_size=4))
def test_items_encoded_as_they_come_are_those_of_the_batch(portions: list[list[str]]) -> None:
    encoded, items = EncodedItems(), []
    for names in portions:
        some = [reading(name, index) for index, name in enumerate(names)]
        if len(some) == 1:
            encoded.add_one(some[0])
        else:
            encoded.add(some)
        items += some
    for rest in (Batch([], 5, "a"), Batch([], 5, "", 2, "", [("a]", len(items))])):
        whole = msgspec.structs.replace(rest, items=items)
        assert encoded.batch(rest) == encode_batch(whole)


def test_a_record_as_a_whole_concerns_every_request_in_it() -> None:
    assert receipts.decode(receipts.encode("life", [(1, 5)], 7, 2)).own(-1) == -1


def test_a_record_of_the_first_version_is_still_read() -> None:
    raw = b'{"items":[["a","m",1,2.5]],"accepted_us":9,"source":"bus","v":1,"trace":""}'
    batch = decode_batch(raw)
    assert [(name, len(items)) for name, items in batch.by_source()] == [("bus", 1)]


@pytest.mark.parametrize("counts", [[1], [1, 2], [2, -1], [0, 1]])
def test_sources_that_do_not_account_for_every_item_are_refused(counts: list[int]) -> None:
    sources = [("bus", count) for count in counts]
    batch = Batch([reading("a", 0), reading("a", 1)], 1, "", 2, "", sources)
    with pytest.raises(ValueError, match=r"sources|>= 1"):
        decode_batch(encode_batch(batch))
