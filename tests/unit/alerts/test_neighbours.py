"""Which warnings concern a neighbouring city, where they are, and whose signature is good."""

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import Polygon

from services.alerts.channels import standard_webhooks
from services.alerts.neighbours.interest import Interest, Published, Told, concerns, is_due
from services.alerts.neighbours.message import Unfit, read
from services.alerts.neighbours.outline import POINTS_SHOWN, circle, polygon, simplified
from tests.integration.neighbouring import Document

NOW = datetime(2026, 5, 1, 8, 0, tzinfo=UTC)
FLOOD = Published("1", "Alert", "orange", "flooding", {"441204", "441200"})


@pytest.mark.parametrize(
    ("interest", "wanted"),
    [
        (Interest(), True),
        (Interest(least="orange"), True),
        (Interest(least="red"), False),
        (Interest(categories=["flooding", "river"]), True),
        (Interest(categories=["gas"]), False),
        (Interest(areas=["441200"]), True),
        (Interest(areas=["441203"]), False),
        (Interest(categories=["flooding"], areas=["441203"]), False),
    ],
)
def test_a_warning_concerns_by_colour_category_and_place(interest: Interest, wanted: bool) -> None:
    assert concerns(interest, FLOOD) is wanted


def test_who_was_told_hears_it_to_the_end_and_nobody_else_hears_the_end() -> None:
    lifted = Published("2", "Cancel", "orange", "flooding", ())
    milder = Published("2", "Update", "blue", "flooding", ())
    told = Told(FLOOD.event_id, FLOOD.type)
    nothing = Interest(categories=["gas"])
    assert is_due(FLOOD, Interest(), None)
    assert not is_due(FLOOD, None, None)
    assert not is_due(FLOOD, Interest(), told)
    assert is_due(milder, nothing, told)
    assert is_due(lifted, None, told)
    assert not is_due(lifted, Interest(), None)
    over = Told(lifted.event_id, lifted.type)
    again = Published("3", "Alert", "orange", "flooding", ())
    assert is_due(again, Interest(), over)
    assert not is_due(again, nothing, over)


def test_outlines_are_rings_of_longitude_and_latitude() -> None:
    assert polygon("23,112 23,113 24,113 23,112")[1] == (113.0, 23.0)
    ring = circle("23.0,112.5 10")
    assert ring[0] == ring[-1]
    assert max(lat for _, lat in ring) == pytest.approx(23.0899, abs=1e-3)
    assert max(lon for lon, _ in ring) == pytest.approx(112.5977, abs=1e-3)


def test_outlines_of_many_points_are_shown_with_few() -> None:
    turns = [2 * math.pi * number / 2_000 for number in range(2_000)]
    fine = [(112 + math.cos(turn), 23 + math.sin(turn)) for turn in turns]
    rough = simplified([[*fine, fine[0]], polygon("23,112 23,113 24,113 23,112")])
    assert 10 < sum(map(len, rough)) <= POINTS_SHOWN
    assert all(ring[0] == ring[-1] for ring in rough)
    assert Polygon(rough[0]).area == pytest.approx(math.pi, rel=0.02)
    assert simplified([fine[:3] + fine[:1]]) == [fine[:3] + fine[:1]]


@pytest.mark.parametrize("text", ["", "1,2 3,4", "23,112 23,113 24,113 23,111", "a,b c,d e,f a,b",
                                  "23,nan 23,113 24,113 23,nan"])  # fmt: skip
def test_what_is_no_polygon_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"polygon|number|degrees"):
        polygon(text)


@pytest.mark.parametrize("text", ["", "23,112", "23,112 -1", "23,112 inf", "23,112 5000", "x 1"])
def test_what_is_no_circle_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"circle|number|degrees"):
        circle(text)


def test_no_warning_holds_longer_than_a_month() -> None:
    message = read(Document("1", sent_at=NOW, holds=timedelta(days=900)).xml().encode(), NOW)
    assert message.told is not None
    assert message.told.expires_at == NOW + timedelta(days=31)


def test_a_message_in_one_language_is_shown_in_both() -> None:
    whole = Document("1", sent_at=NOW).xml()
    start, end = whole.index("<info><language>zh"), whole.index("</info>") + len("</info>")
    english = read((whole[:start] + whole[end:]).encode(), NOW)
    assert english.told is not None
    assert english.told.wording["zh"]["headline"] == "Orange warning: Flood, Guangzhou"


@given(st.binary(max_size=300))
def test_whatever_comes_is_a_message_or_unfit(raw: bytes) -> None:
    with pytest.raises(Unfit):
        read(raw, NOW)


@given(st.data())
def test_a_document_with_one_thing_changed_never_breaks_the_reader(data: st.DataObject) -> None:
    whole = Document("1", sent_at=NOW).xml().encode()
    at = data.draw(st.integers(0, len(whole) - 1))
    put = data.draw(st.binary(max_size=12))
    try:
        read(whole[:at] + put + whole[at + len(put) :], NOW)
    except Unfit as unfit:
        assert unfit.detail


def test_both_of_two_secrets_are_good_and_an_empty_one_never_is() -> None:
    old, new = standard_webhooks.new_secret(), standard_webhooks.new_secret()
    for signing in (old, new):
        headers = standard_webhooks.headers([signing], "m", NOW, b"body")
        assert standard_webhooks.reason_to_distrust([new, old], headers, NOW, b"body") is None
    headers = standard_webhooks.headers([""], "m", NOW, b"body")
    assert standard_webhooks.reason_to_distrust(["", ""], headers, NOW, b"body") is not None
