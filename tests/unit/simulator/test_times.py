"""Local times, offsets and clock changes."""

from datetime import UTC, datetime

import pytest

from services.simulator.times import BadTime, RepeatedHour, Times, zone_of

LONDON = zone_of("Europe/London")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("form", "zone", "text", "expected"),
    [
        ("iso", "-06:00", "2012-10-02 09:00:00", "2012-10-02 15:00:00"),
        ("iso", "+0530", "2012-10-02T00:00", "2012-10-01 18:30:00"),
        ("iso", None, "2013-03-01T00:00:00+08:00", "2013-02-28 16:00:00"),
        ("iso", "Asia/Shanghai", "2013-03-01T00:00:00Z", "2013-03-01 00:00:00"),
        ("%d.%m.%Y %H:%M", "Asia/Shanghai", "01.03.2013 08:00", "2013-03-01 00:00:00"),
        ("epoch_s", None, "1362096000", "2013-03-01 00:00:00"),
        ("epoch_ms", None, "1362096000500", "2013-03-01 00:00:00.500"),
        ("iso", "Europe/London", "2016-07-01 12:00:00", "2016-07-01 11:00:00"),
    ],
)
def test_a_time_is_read_as_the_instant_it_means(
    form: str, zone: str | None, text: str, expected: str
) -> None:
    times = Times(form, None if zone is None else zone_of(zone))
    assert times.instant(text) == utc(expected)


@pytest.mark.parametrize(
    ("form", "zone", "text"),
    [
        ("iso", None, "2013-03-01 00:00"),
        ("iso", "+08:00", "yesterday"),
        ("iso", "+08:00", ""),
        ("epoch_s", None, "1e300"),
        ("%d.%m.%Y", "+08:00", "2013-03-01"),
        ("iso", "Europe/London", "2016-03-27 01:30:00"),
    ],
)
def test_what_is_no_time_is_refused(form: str, zone: str | None, text: str) -> None:
    with pytest.raises(BadTime):
        Times(form, None if zone is None else zone_of(zone)).instant(text)


@pytest.mark.parametrize("name", ["", "+8", "Mars/Olympus", "../etc/passwd", "08:00"])
def test_an_unknown_zone_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="neither"):
        zone_of(name)


@pytest.mark.parametrize(
    ("policy", "hours"), [("order", [0, 1, 1]), ("earlier", [0, 0, 0]), ("later", [1, 1, 1])]
)
def test_the_repeated_hour_is_told_apart(policy: RepeatedHour, hours: list[int]) -> None:
    times = Times("iso", LONDON, repeated_hour=policy)
    seen = [times.instant("2016-10-30 01:30:00", "a") for _ in range(3)]
    assert seen == [utc(f"2016-10-30 0{hour}:30:00") for hour in hours]
    assert times.instant("2016-10-30 01:30:00", "b").hour == hours[0]


def test_elapsed_hours_count_from_local_midnight_when_clocks_change() -> None:
    times = Times("iso", LONDON, elapsed=True)
    assert times.instant("2016-03-27 00:30:00") == utc("2016-03-27 00:30:00")
    assert times.instant("2016-03-27 22:30:00") == utc("2016-03-27 22:30:00")
    assert times.instant("2016-03-28 00:00:00") == utc("2016-03-27 23:00:00")
    assert times.instant("2016-10-30 23:30:00") == utc("2016-10-30 22:30:00")
    assert times.instant("2016-10-31 00:00:00") == utc("2016-10-31 00:00:00")
