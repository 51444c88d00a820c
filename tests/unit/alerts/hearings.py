"""Rules, and stories of readings and ticks told to them; times in seconds."""

import msgspec

from services.alerts.judging.partition import Judgement
from services.alerts.judging.rulebook import Book
from services.alerts.judging.states import States
from services.alerts.judging.transition import Transition
from services.alerts.rules.rule import Rule
from shared.contracts.reading import Reading

SECOND = 1_000_000
Step = tuple[float, str, float] | tuple[float, str, float, str] | float  # a number alone: a tick
Told = tuple[str, str, float, float, int]  # kind, subject, started, observed, level


def rule(**fields: object) -> Rule:
    base: dict[str, object] = {
        "id": "r", "title": {"zh": "高", "en": "high"}, "metric": "m", "grade": 3, "priority": 3,
    }  # fmt: skip
    return Rule.model_validate(base | fields)


class Hearing:
    """One judgement and what it has said; `cut` loses everything but the kept states."""

    def __init__(self, *rules: Rule) -> None:
        self.book = Book(rules)
        self.judgement = Judgement(self.book)
        self.told: list[Transition] = []

    def take(self, step: Step, late: float = 0) -> None:
        """A reading of sensor `s` (second, metric, value[, quality]), or a tick."""
        if not isinstance(step, tuple):
            self.judgement.tick(int(step * SECOND))
        else:
            second, name, value = step[:3]
            sensor, _, metric = name.rpartition("/")
            quality = step[3] if len(step) > 3 else "good"
            at = int(second * SECOND)
            reading = Reading(sensor or "s", metric, at, value, quality)  # type: ignore[arg-type]
            watchers = self.book.watchers(reading.sensor_id, metric, frozenset({"441202"}))
            self.judgement.hear(reading, watchers, at + int(late * SECOND))
        self.told += self.judgement.changes().transitions

    def drop(self) -> None:
        """What was said is written."""
        self.judgement.written()

    def cut(self) -> None:
        """A restart from the states as they are kept."""
        kept = msgspec.msgpack.encode(self.judgement.states())
        self.judgement = Judgement(self.book, msgspec.msgpack.decode(kept, type=States))


def told(transitions: list[Transition]) -> list[Told]:
    return [
        (t.kind, t.subject, t.started_us / SECOND, t.observed_us / SECOND, t.level)
        for t in transitions
    ]


def play(rules: Rule | list[Rule], steps: list[Step], *, cuts: bool = False) -> list[Told]:
    """Everything that is said; with `cuts`, restarted after every step."""
    hearing = Hearing(*(rules if isinstance(rules, list) else [rules]))
    for step in steps:
        hearing.take(step)
        hearing.drop()
        if cuts:
            hearing.cut()
    return told(hearing.told)
