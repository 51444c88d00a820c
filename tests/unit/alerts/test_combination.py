"""Rules over several sensors: counts, shares, comparisons, booleans, missing data, disorder."""

import random

import msgspec
import pytest

from services.alerts.judging.change import ConditionChange
from services.alerts.judging.combination import Combination, CombinationStates
from services.alerts.judging.revision import CHANGED, RETIRED, revised, revised_combination
from services.alerts.judging.rulebook import Book
from services.alerts.rules.rule import Rule
from tests.unit.alerts.hearings import SECOND, Hearing, Step, Told, rule, told

GAUGES = [{"id": "xijiang", "sensors": ["g1", "g2", "g3", "g4", "g5"]}]
THREE = rule(groups=GAUGES, count={"of": {"above": 8}, "at_least": 3})
LATER = 100_000.0


class Stages:
    """Both stages; the second hears of the first's changes at once or in any order."""

    def __init__(self, *rules: Rule) -> None:
        self.first = Hearing(*rules)
        self.second = Combination(self.first.book)
        self.told: list[Told] = []

    def take(self, step: Step) -> None:
        self.first.take(step)
        for change in self.first.judgement.changes().conditions:
            self.second.hear(change)
        self.first.drop()

    def tick(self, second: float) -> None:
        self.take(second)
        self.second.tick(int(second * SECOND))
        self.told += told(list(self.second.changes()))
        self.second.written()

    def cut(self) -> None:
        self.first.cut()
        kept = msgspec.msgpack.encode(self.second.states())
        states = msgspec.msgpack.decode(kept, type=CombinationStates)
        self.second = Combination(self.first.book, states)


def play(asked: Rule, steps: list[Step], *, cuts: bool = False) -> list[Told]:
    stages = Stages(asked)
    for step in steps:
        if isinstance(step, tuple):
            stages.take(step)
        else:
            stages.tick(step)
        if cuts:
            stages.cut()
    stages.tick(LATER)
    return stages.told


def at(second: float, **values: float) -> list[Step]:
    return [(second, f"{sensor}/m", value) for sensor, value in values.items()]


STORIES: dict[str, tuple[Rule, list[Step], list[Told]]] = {
    "three of five": (
        THREE,
        at(1, g1=9, g2=9, g3=1, g4=1, g5=1) + at(2, g3=9) + at(3, g1=1) + at(4, g9=9, g1=7),
        [("raised", "xijiang", 2, 2, 1), ("cleared", "xijiang", 2, 3, 1)],
    ),
    "a share of those that are named": (
        rule(groups=GAUGES, count={"of": {"above": 8}, "share": 0.6}),
        at(1, g1=9, g2=9) + at(2, g3=9),
        [("raised", "xijiang", 2, 2, 1)],
    ),
    "in an area": (
        rule(subject="area", areas=["441202"], count={"of": {"above": 8}, "at_least": 2}),
        at(1, a=9, b=1) + at(2, b=9),
        [("raised", "441202", 2, 2, 1)],
    ),
    "each for a while": (
        rule(groups=GAUGES, count={"of": {"above": 8, "for": "60s"}, "at_least": 2}),
        at(1, g1=9, g2=9) + at(50, g1=7) + at(61, g1=9, g2=9) + at(121, g1=9),
        [("raised", "xijiang", 121, 121, 1)],
    ),
    "here and not there": (
        rule(groups=GAUGES, all=[{"sensor": "g1", "above": 8},
                                 {"not": {"sensor": "g2", "above": 8}}]),
        at(1, g1=9) + at(2, g2=1) + at(3, g2=9) + at(4, g3=9),
        [("raised", "xijiang", 2, 2, 1), ("cleared", "xijiang", 2, 3, 1)],
    ),
    "missing data does not clear": (
        rule(groups=GAUGES, count={"of": {"above": 8}, "at_least": 2}, no_data="10m"),
        at(1, g1=9, g2=9) + at(500, g1=9) + at(700, g1=9) + at(800, g2=9) + at(900, g1=1),
        [("raised", "xijiang", 1, 1, 1), ("no_data", "xijiang", 1, 601, 1),
         ("resumed", "xijiang", 1, 800, 1), ("cleared", "xijiang", 1, 900, 1)],
    ),
    "against another sensor": (
        rule(sensors=["down"], compare={"with": "up", "within": "60s", "above": 3}),
        at(1, up=1) + at(2, down=5) + at(30, up=4) + at(31, down=5) + at(120, down=9),
        [("raised", "down", 2, 2, 1), ("cleared", "down", 2, 31, 1)],
    ),
    "against the mean of several": (
        rule(sensors=["x"], compare={"with": ["n*"], "by": "ratio", "above": 2}),
        at(1, n1=2, n2=4) + at(2, x=6) + at(3, x=6.1),
        [("raised", "x", 3, 3, 1)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("cuts", [False, True], ids=["undisturbed", "restarted"])
@pytest.mark.parametrize("name", STORIES)
def test_several_sensors_tell_one_story(name: str, cuts: bool) -> None:
    asked, steps, expected = STORIES[name]
    assert [one for one in play(asked, steps, cuts=cuts) if one[3] < 1000] == expected


@pytest.mark.parametrize("name", STORIES)
@pytest.mark.parametrize("seed", range(5))
def test_any_order_of_changes_and_any_repeat_tells_the_same(name: str, seed: int) -> None:
    asked, steps, _ = STORIES[name]
    hearing = Hearing(asked)
    for step in steps:
        hearing.take(step)
    changes = list(hearing.judgement.changes().conditions)
    chance = random.Random(seed)
    shuffled = changes + chance.sample(changes, len(changes) // 2)
    chance.shuffle(shuffled)
    stories = []
    for order in (changes, shuffled):
        second = Combination(hearing.book)
        for change in order:
            second.hear(change)
        second.tick(int(LATER * SECOND))
        stories.append(told(list(second.changes())))
    assert stories[0] == stories[1]


def test_a_change_of_a_rule_that_is_asked_otherwise_now_is_passed_over() -> None:
    hearing = Hearing(THREE)
    second = Combination(hearing.book)
    for number in range(1, 4):
        second.hear(ConditionChange("r", "0000", 0, f"g{number}", ("xijiang",), 1, 1, True, 9.0))
    second.tick(int(LATER * SECOND))
    assert not second.changes()


def test_a_change_waits_for_those_that_may_come_before_it() -> None:
    stages = Stages(THREE)
    for step in at(1, g1=9, g2=9, g3=9):
        stages.take(step)
    stages.tick(5)
    assert not stages.told
    stages.tick(11.1)
    assert stages.told == [("raised", "xijiang", 1, 1, 1)]


def test_a_changed_rule_ends_its_alerts_and_another_wording_does_not() -> None:
    stages = Stages(THREE)
    for step in at(1, g1=9, g2=9, g3=9):
        stages.take(step)
    stages.tick(20)
    graver = THREE.model_copy(update={"grade": 1, "version": 2})
    second, ended = revised_combination(stages.second, Book([graver]))
    assert not ended
    other = rule(groups=GAUGES, count={"of": {"above": 8}, "at_least": 4})
    _, [cleared] = revised_combination(second, Book([other]))
    assert (cleared.kind, cleared.subject, cleared.reason) == ("cleared", "xijiang", CHANGED)


def test_single_alerts_stay_as_long_as_their_condition() -> None:
    hearing = Hearing(rule(id="a", above=8), rule(id="b", above=8), rule(id="c", above=8))
    hearing.take((1, "m", 9))
    hearing.drop()
    book = Book([rule(id="a", above=8, grade=1), rule(id="b", above=8.5)])
    judgement, ended = revised(hearing.judgement, book, {})
    assert [(one.rule.id, one.reason) for one in ended] == [("b", CHANGED), ("c", RETIRED)]
    hearing.book, hearing.judgement, hearing.told = book, judgement, []
    hearing.take((2, "m", 9))
    assert [(one.rule.id, one.kind) for one in hearing.told] == [("b", "raised")]
    hearing.drop()
    hearing.take((3, "m", 1))
    assert {(one.rule.id, one.kind) for one in hearing.told[1:]} == {
        ("a", "cleared"), ("b", "cleared"),
    }  # fmt: skip
