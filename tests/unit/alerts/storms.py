"""What the tests of gathering share: rules, transitions, and a city without a database."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from services.alerts.incidents.case import Case, Quiet
from services.alerts.incidents.casebook import Casebook
from services.alerts.incidents.dependencies import Edge, Edges, related
from services.alerts.incidents.flood import Floodgate
from services.alerts.judging.transition import Kind, Place, Transition
from services.alerts.rules.rule import Rule, Title
from shared.clock import to_micros
from shared.contracts.incident import Incident

START = datetime(2026, 5, 1, 8, tzinfo=UTC)
NOW = datetime(2026, 5, 1, 9, tzinfo=UTC)
MINUTE = 60_000_000
DISTRICTS = ("441202", "441203")


def rule(name: str = "rain", **fields: Any) -> Rule:
    values: dict[str, Any] = {
        "id": name, "title": Title(zh=name, en=name), "metric": f"m.{name}", "above": 10.0,
        "grade": 3, "priority": 3, "cause": "storm",
    }  # fmt: skip
    return Rule(**(values | fields))


def told(
    which: Rule, subject: str, minute: float, kind: Kind = "raised", *, start: float | None = None,
    value: float = 20.0, historical: bool = False, priority: int | None = None,
) -> Transition:  # fmt: skip
    """A transition at a minute after START; `start`: of its alert, unless it is raised now."""
    began = minute if start is None else start
    return Transition(
        kind=kind, rule=which, subject=subject,
        started_us=to_micros(START) + round(began * MINUTE),
        observed_us=to_micros(START) + round(minute * MINUTE),
        value=value, threshold=10.0, grade=which.grade,
        priority=priority or which.priority, historical=historical,
    )  # fmt: skip


def place(subject: str, district: str | None = None) -> Place:
    """Sensors lie in the district that their name ends with; others in the first."""
    found = district or next((one for one in DISTRICTS if subject.endswith(one)), DISTRICTS[0])
    return Place(subject, subject, found, "区")


class City:
    """A casebook, the flood and the dependencies, as `Gathering` puts them together."""

    def __init__(
        self, edges: Sequence[Edge] = (), quiet: Quiet | None = None, operators: int = 1
    ) -> None:
        self.book = Casebook(NOW, quiet)
        self.edges = Edges(edges)
        self.gate = Floodgate({}, None, operators)

    def hear(self, *transitions: Transition) -> "City":
        """Take them one after another."""
        for transition in transitions:
            alert = self.book.take(transition, place(transition.subject))
            if alert is not None:
                related(self.book, self.edges, alert)
                self.gate.heard(self.book, self.book.cases[alert.incident_id])
        return self

    def cases(self) -> list[Case]:
        """Every incident that was not merged into another, in the order of events."""
        found = [one for one in self.book.cases.values() if one.incident.merged_into is None]
        return sorted(found, key=lambda one: (one.incident.observed_at, str(one.id)))

    def incidents(self) -> list[Incident]:
        """The same as incidents."""
        return [case.incident for case in self.cases()]

    def top(self) -> list[Incident]:
        """What stands in the operator's list."""
        return [incident for incident in self.incidents() if incident.parent_id is None]

    def steps(self, incident: Incident) -> list[str]:
        """The steps of one incident, without `incident.`"""
        found = [step for step in self.book.steps if step.data.id == incident.id]
        assert [step.data.version for step in found] == list(range(1, len(found) + 1))
        return [step.type.removeprefix("incident.") for step in found]


def summary(city: City) -> list[Any]:
    """The incidents in every event-time field, and what gathered in each."""
    return [
        (
            case.id, one.rule_id, one.observed_at, one.subjects, one.members, one.alert_state,
            one.grade, one.priority, one.alarms, one.metric, one.value, one.area_id, one.parent_id,
            case.first_at, case.last_at, one.title, one.cause, one.flapping,
            sorted(str(alert.alert_id) for alert in city.book.members(case.id)),
        )
        for case in city.cases() for one in [case.incident]
    ]  # fmt: skip


def in_turn(streams: Iterable[Sequence[Transition]], turns: Iterable[int]) -> list[Transition]:
    """Streams put together: each keeps its order; `turns` says whose next one comes."""
    left = [list(stream) for stream in streams if stream]
    found = []
    for turn in turns:
        if not left:
            break
        stream = left[turn % len(left)]
        found.append(stream.pop(0))
        left = [one for one in left if one]
    return found + [transition for stream in left for transition in stream]
