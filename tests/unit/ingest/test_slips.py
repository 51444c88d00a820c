"""The receipts of a stream: bounded, and the last one speaks for all."""

from services.ingest.border import receipts
from services.ingest.border.receipts import MAX_LENGTH
from services.ingest.border.stream import EARLIER_RECEIPTS, RECEIPT_PLACES, Slips


def test_a_long_stream_has_several_receipts_and_the_last_names_every_partition() -> None:
    slips, places = Slips(), [(partition, offset) for offset in range(600) for partition in (0, 1)]
    slips.add("life", [(2, 7)])
    for start in range(0, len(places), 4):
        slips.add("life", places[start : start + 4])
    last, earlier = slips.receipts()
    assert last is not None and all(len(token) <= MAX_LENGTH for token in [last, *earlier])
    named = [place for token in [*earlier, last] for place in receipts.decode(token).places]
    assert set(named) == {(2, 7), *places}
    assert {(0, 599), (1, 599), (2, 7)} <= set(receipts.decode(last).places)
    assert slips.dropped == 0


def test_an_endless_stream_has_a_bounded_answer_that_counts_what_it_leaves_out() -> None:
    slips = Slips()
    for offset in range(RECEIPT_PLACES * (EARLIER_RECEIPTS + 5)):
        slips.add("life", [(0, offset)])
    last, earlier = slips.receipts()
    assert (len(earlier), slips.dropped) == (EARLIER_RECEIPTS, 4)
    assert last is not None
    assert receipts.decode(last).places[-1] == (0, RECEIPT_PLACES * (EARLIER_RECEIPTS + 5) - 1)


def test_nothing_published_has_no_receipt() -> None:
    assert Slips().receipts() == (None, [])
