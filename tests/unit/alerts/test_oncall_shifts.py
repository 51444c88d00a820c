"""Shifts: hand-overs by the local clock, overrides, and gaps, in zones that change their clocks."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from services.alerts.oncall.hours import Hours
from services.alerts.oncall.roster import Layer, Override, Roster, duty
from services.alerts.oncall.shifts import shifts

ZONES = (
    "Asia/Shanghai", "UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe",
    "Pacific/Apia", "Africa/Casablanca", "Asia/Kathmandu",
)  # fmt: skip
YEAR = datetime(2026, 1, 1, tzinfo=UTC)
people = st.sampled_from(("an", "bo", "chen", "ding"))
times = st.builds(time, st.integers(0, 23), st.sampled_from((0, 15, 30)))
moments = st.integers(0, 334 * 1440).map(lambda minute: YEAR + timedelta(minutes=minute))
hours = st.builds(
    lambda a, b, days: Hours.model_validate({"from": a, "until": b, "weekdays": sorted(days)}),
    times,
    times,
    st.sets(st.integers(1, 7), min_size=1),
)


@st.composite
def layers(draw: st.DrawFn) -> Layer:
    starts = draw(st.dates(date(2025, 12, 1), date(2026, 12, 1)))
    lasts = draw(st.one_of(st.none(), st.integers(1, 200)))
    return Layer(
        name="layer",
        turns=tuple(draw(st.lists(st.tuples(people), min_size=1, max_size=4))),
        starts_on=starts,
        ends_on=None if lasts is None else starts + timedelta(days=lasts),
        days=draw(st.integers(1, 10)),
        hand_over=draw(times),
        hours=tuple(draw(st.lists(hours, max_size=2))),
    )


@st.composite
def rosters(draw: st.DrawFn) -> Roster:
    return Roster(
        roster_id="r",
        name="r",
        zone=draw(st.sampled_from(ZONES)),
        layers=tuple(draw(st.lists(layers(), max_size=3))),
    )


@st.composite
def overrides(draw: st.DrawFn) -> list[Override]:
    starts = draw(st.lists(moments, max_size=3))
    return [
        Override(
            UUID(int=number), "r", (draw(people),), at,
            at + timedelta(hours=draw(st.integers(1, 99))),
            "", "x", YEAR + timedelta(hours=number),
        )
        for number, at in enumerate(starts)
    ]  # fmt: skip


@given(rosters(), overrides(), moments, st.integers(1, 40), st.data())
def test_shifts_cover_a_time_exactly_and_agree_with_who_is_on_duty(
    roster: Roster, held: Sequence[Override], first: datetime, days: int, data: st.DataObject
) -> None:
    last = first + timedelta(days=days)
    found = shifts(roster, held, first, last)
    assert (found[0].starts_at, found[-1].ends_at) == (first, last)
    for one, following in pairwise(found):
        assert one.ends_at == following.starts_at and one.duty != following.duty
    minute = data.draw(st.integers(0, days * 1440 - 1))
    for at in (first + timedelta(minutes=minute), *(one.starts_at for one in found)):
        (shift,) = (one for one in found if one.starts_at <= at < one.ends_at)
        assert shift.duty == duty(roster, held, at)
        assert shift.gap == (not shift.duty.people)


@given(st.sampled_from(ZONES), times, st.integers(1, 14), moments)
def test_hand_overs_are_at_the_local_time_whatever_the_clocks_do(
    zone: str, hand_over: time, days: int, first: datetime
) -> None:
    layer = Layer(
        name="l", turns=(("an",), ("bo",)), starts_on=date(2025, 6, 1), days=days,
        hand_over=hand_over,
    )  # fmt: skip
    roster = Roster(roster_id="r", name="r", zone=zone, layers=(layer,))
    found = shifts(roster, (), first, first + timedelta(days=60))
    assert not any(one.gap for one in found)
    for one in found[1:]:
        local = one.starts_at.astimezone(ZoneInfo(zone))
        skipped = (
            timedelta(0)
            < datetime.combine(local.date(), local.time())
            - datetime.combine(local.date(), hand_over)
            <= timedelta(hours=1)
        )
        assert local.time() == hand_over or skipped
        assert (local.date() - layer.starts_on).days % days == 0


@given(rosters(), overrides(), moments)
def test_an_override_holds_against_every_layer_and_the_newest_against_others(
    roster: Roster, held: list[Override], at: datetime
) -> None:
    newest = Override(
        UUID(int=99), "r", ("eva",), at, at + timedelta(hours=1), "", "x", at + timedelta(days=999)
    )
    assert duty(roster, [*held, newest], at).people == ("eva",)
    assert duty(roster, [*held, newest], newest.ends_at) == duty(roster, held, newest.ends_at)


def test_the_hour_that_the_clocks_skip_and_the_one_that_they_show_twice() -> None:
    layer = Layer(
        name="l",
        turns=(("an",), ("bo",)),
        starts_on=date(2026, 3, 1),
        days=1,
        hand_over=time(2, 30),
    )
    berlin = Roster(roster_id="r", name="r", zone="Europe/Berlin", layers=(layer,))
    spring = shifts(
        berlin, (), datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 3, 30, tzinfo=UTC)
    )
    assert spring[1].starts_at == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)  # shown as 03:30
    autumn = shifts(
        berlin, (), datetime(2026, 10, 24, 12, tzinfo=UTC), datetime(2026, 10, 26, tzinfo=UTC)
    )
    assert autumn[1].starts_at == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # 02:30, the first one


def test_the_first_layer_that_has_somebody_decides_and_the_rest_is_a_gap() -> None:
    by_night = Hours.model_validate({"from": "22:00", "until": "06:00", "weekdays": [5]})
    by_day = Hours.model_validate({"from": "08:00", "until": "18:00", "weekdays": [1, 2, 3, 4, 5]})
    start = {"starts_on": date(2026, 1, 1), "hand_over": time(8)}
    roster = Roster.model_validate({
        "roster_id": "r", "name": "r",
        "layers": [
            start | {"name": "night", "turns": [["an", "bo"]], "hours": [by_night]},
            start | {"name": "day", "turns": [["chen"]], "hours": [by_day]},
        ],
    })  # fmt: skip
    friday, sunday = datetime(2026, 5, 15, tzinfo=UTC), datetime(2026, 5, 17, tzinfo=UTC)
    found = shifts(roster, (), friday, sunday)
    said = [(one.duty.layer, one.starts_at, one.duty.people) for one in found]
    assert said == [
        ("day", friday, ("chen",)),
        (None, friday + timedelta(hours=10), ()),
        ("night", friday + timedelta(hours=14), ("an", "bo")),  # 22:00 in Shanghai
        (None, friday + timedelta(hours=22), ()),
    ]
