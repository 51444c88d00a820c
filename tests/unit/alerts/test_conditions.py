"""Every kind of condition on one sensor: when it is raised, changed, lost and cleared."""

import pytest

from services.alerts.rules.rule import Rule
from tests.unit.alerts.hearings import Hearing, Step, Told, play, rule, told

LADDER = rule(
    levels=[
        {"above": 8, "grade": 3, "priority": 3},
        {"above": 9, "grade": 2, "priority": 2, "warning": "orange"},
        {"above": 10, "grade": 1, "priority": 1},
    ],
    deadband=0.5,
)
DAY = 86_400
WEEK = 7 * DAY
MORNING = 1_779_667_200  # Monday 2026-05-25 08:00 in China
STORIES: dict[str, tuple[Rule, list[Step], list[Told]]] = {
    "the limit itself is not over the limit": (
        rule(above=8), [(1, "m", 8), (2, "m", 8.1), (3, "m", 8)],
        [("raised", "s", 2, 2, 1), ("cleared", "s", 2, 3, 1)],
    ),
    "what is too low": (
        rule(below=2, deadband=1), [(1, "m", 2), (2, "m", 1.9), (3, "m", 2.9), (4, "m", 3)],
        [("raised", "s", 2, 2, 1), ("cleared", "s", 2, 4, 1)],
    ),
    "a severity rises and falls": (
        LADDER,
        [(1, "m", 8.5), (2, "m", 9.2), (3, "m", 10.1), (4, "m", 9.4), (5, "m", 8.6), (6, "m", 7.4)],
        [("raised", "s", 1, 1, 1), ("changed", "s", 1, 2, 2), ("changed", "s", 1, 3, 3),
         ("changed", "s", 1, 4, 2), ("cleared", "s", 1, 6, 2)],
    ),
    "a severity within its deadband stays": (
        LADDER, [(1, "m", 9.5), (2, "m", 8.6), (3, "m", 8.5), (4, "m", 7.6)],
        [("raised", "s", 1, 1, 2), ("changed", "s", 1, 3, 1)],
    ),
    "on-delay and off-delay": (
        rule(above=8, **{"for": "60s"}, clear_for="30s"),
        [(1, "m", 9), (60, "m", 9), (61, "m", 9), (70, "m", 7), (80, "m", 9), (90, "m", 7),
         (119, "m", 7), (120, "m", 7)],
        [("raised", "s", 1, 61, 1), ("cleared", "s", 1, 120, 1)],
    ),
    "so many readings in a row": (
        rule(above=8, min_samples=3),
        [(1, "m", 9), (2, "m", 9), (3, "m", 7), (4, "m", 9), (5, "m", 9), (6, "m", 9)],
        [("raised", "s", 4, 6, 1)],
    ),
    "a rise within a time": (
        rule(rate={"above": 2, "over": "10m"}, for_seconds=0),
        [(0, "m", 5), (300, "m", 6), (600, "m", 7), (660, "m", 8.5), (1300, "m", 8.6)],
        [("raised", "s", 660, 660, 1), ("cleared", "s", 660, 1300, 1)],
    ),
    "a fall within a time": (
        rule(rate={"below": -2, "over": "10m"}), [(0, "m", 5), (60, "m", 6), (120, "m", 3.9)],
        [("raised", "s", 120, 120, 1)],
    ),
    "silence, found by a tick": (
        rule(absent="10m"), [(0, "m", 5), 600.0, 601.0, 900.0, (1000, "m", 5)],
        [("raised", "s", 600, 600, 1), ("cleared", "s", 600, 1000, 1)],
    ),
    "silence, found by the next reading": (
        rule(absent="10m"), [(0, "m", 5), (600, "m", 5), (1201, "m", 5)],
        [("raised", "s", 1200, 1200, 1), ("cleared", "s", 1200, 1201, 1)],
    ),
    "a stuck value": (
        rule(stuck={"for": "2h", "within": 0.01}),
        [(0, "m", 5), (3600, "m", 5.01), (7200, "m", 4.99), (7300, "m", 5.1), (14500, "m", 5.1)],
        [("raised", "s", 7200, 7200, 1), ("cleared", "s", 7200, 7300, 1),
         ("raised", "s", 14500, 14500, 1)],
    ),
    "against last week": (
        rule(week={"by": "ratio", "above": 1.5}, no_data="30d"),
        [(MORNING, "m", 10), (MORNING + 60, "m", 12), (MORNING + 3600, "m", 50),
         (MORNING + WEEK, "m", 16), (MORNING + WEEK + 60, "m", 17),
         (MORNING + WEEK + 3600, "m", 60), (MORNING + 3 * WEEK, "m", 500)],
        [("raised", "s", MORNING + WEEK + 60, MORNING + WEEK + 60, 1),
         ("cleared", "s", MORNING + WEEK + 60, MORNING + WEEK + 3600, 1)],
    ),
    "two metrics of one sensor": (
        rule(all=[{"above": 8}, {"metric": "n", "below": 2}]),
        [(1, "m", 9), (2, "n", 5), (3, "n", 1), (4, "m", 7)],
        [("raised", "s", 3, 3, 1), ("cleared", "s", 3, 4, 1)],
    ),
    "either, and not": (
        rule(any=[{"above": 8}, {"not": {"metric": "n", "above": 2}}]),
        [(1, "m", 9), (2, "n", 3), (3, "m", 7), (4, "n", 1)],
        [("raised", "s", 1, 1, 1), ("cleared", "s", 1, 3, 1), ("raised", "s", 4, 4, 1)],
    ),
    "only at night": (
        rule(above=8, active={"hours": "22:00-06:00"}),
        [(MORNING, "m", 9), (MORNING + 14 * 3600, "m", 9), (MORNING + 21 * 3600, "m", 9),
         (MORNING + 22 * 3600, "m", 9)],
        [("raised", "s", MORNING + 14 * 3600, MORNING + 14 * 3600, 1),
         ("no_data", "s", MORNING + 14 * 3600, MORNING + 14 * 3600 + 900, 1),
         ("resumed", "s", MORNING + 14 * 3600, MORNING + 21 * 3600, 1),
         ("cleared", "s", MORNING + 14 * 3600, MORNING + 22 * 3600, 1)],
    ),
    "only on rest days": (
        rule(above=8, active={"days": ["restday"]}, no_data="30d"),
        [(MORNING, "m", 9), (MORNING + 5 * DAY, "m", 9)],
        [("raised", "s", MORNING + 5 * DAY, MORNING + 5 * DAY, 1)],
    ),
    "missing data freezes and never clears": (
        rule(above=8, **{"for": "60s"}),
        [(0, "m", 9), (30, "m", 9), (2000, "m", 9), (2031, "m", 9), 3500.0, (4000, "m", 9)],
        [("raised", "s", 0, 2031, 1), ("no_data", "s", 0, 2931, 1), ("resumed", "s", 0, 4000, 1)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("cuts", [False, True], ids=["undisturbed", "restarted"])
@pytest.mark.parametrize("name", STORIES)
def test_a_condition_tells_its_story(name: str, cuts: bool) -> None:
    asked, steps, expected = STORIES[name]
    assert play(asked, steps, cuts=cuts) == expected


@pytest.mark.parametrize("name", STORIES)
def test_repeats_and_late_readings_change_nothing(name: str) -> None:
    asked, steps, expected = STORIES[name]
    heard: list[Step] = []
    disturbed: list[Step] = []
    for step in steps:
        disturbed.append(step)
        if isinstance(step, tuple):
            heard.append(step)
            own = [one for one in heard if isinstance(one, tuple) and one[1] == step[1]]
            disturbed += [own[0], step]
    assert play(asked, disturbed) == expected


def test_a_level_says_how_grave_it_is() -> None:
    hearing = Hearing(LADDER)
    hearing.take((1, "m", 9.5))
    [raised] = hearing.told
    assert (raised.grade, raised.priority, raised.warning) == (2, 2, "orange")
    assert (raised.value, raised.threshold) == (9.5, 9.0)


def test_a_bad_reading_is_heard_only_where_it_is_wanted() -> None:
    steps: list[Step] = [(1, "m", 9, "bad"), (2, "m", 9, "suspect"), (3, "m", 9)]
    rules = [rule(id=name, above=8, quality=name) for name in ("bad", "suspect", "good")]
    hearing = Hearing(*rules)
    for step in steps:
        hearing.take(step)
        hearing.drop()
        hearing.cut()
    starts = {t.rule.id: t.started_us // 1_000_000 for t in hearing.told}
    assert starts == {"bad": 1, "suspect": 2, "good": 3}


def flapping_story() -> tuple[Rule, list[Step]]:
    asked = rule(above=8, flapping={"raises": 3, "within": "10m"})
    steps: list[Step] = [(10 * n, "m", 9.0 if n % 2 else 7.0) for n in range(1, 41)]
    return asked, steps + [(400 + 60 * n, "m", 7.0) for n in range(1, 15)]


@pytest.mark.parametrize("cuts", [False, True])
def test_flapping_is_one_alert_until_it_is_calm(cuts: bool) -> None:
    asked, steps = flapping_story()
    assert play(asked, steps, cuts=cuts)[-2:] == [
        ("raised", "s", 70, 70, 1), ("cleared", "s", 70, 1000, 1),
    ]  # fmt: skip
    assert len(play(asked, steps, cuts=cuts)) == 8


def test_what_is_no_longer_concerned_is_cleared() -> None:
    hearing = Hearing(rule(above=8))
    hearing.take((1, "m", 9))
    hearing.drop()
    hearing.book.watchers = lambda *_: ()  # type: ignore[method-assign]
    hearing.take((2, "m", 9))
    assert told(hearing.told)[-1] == ("cleared", "s", 1, 2, 1)


@pytest.mark.parametrize("cuts", [False, True])
def test_every_silence_is_noticed_by_a_tick(cuts: bool) -> None:
    asked = rule(rate={"above": 2, "over": "2h"}, no_data="10m")
    steps: list[Step] = [(0, "m", 1), (10, "m", 9), 900.0, (1000, "m", 9), 1700.0, 1800.0]
    assert play(asked, steps, cuts=cuts) == [
        ("raised", "s", 10, 10, 1), ("no_data", "s", 10, 610, 1), ("resumed", "s", 10, 1000, 1),
        ("no_data", "s", 10, 1600, 1),
    ]  # fmt: skip
