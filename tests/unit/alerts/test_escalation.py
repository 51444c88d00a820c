"""What escalations decide: chains while nobody acknowledges, and what stops them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from services.alerts.oncall.chain import Chain, Notify, Repeat, Step, Target, Wait
from services.alerts.oncall.entry import Person
from services.alerts.oncall.oncall import Oncall
from services.alerts.oncall.roster import Roster
from services.alerts.oncall.route import Route, RouteMatchers
from services.alerts.paging.escalation import AGAIN, Escalation, Surroundings, decide
from services.alerts.paging.notice import NOBODY, Notice
from shared.contracts.incident import Incident, IncidentState, Suppression

NOW = datetime(2026, 5, 1, 3, tzinfo=UTC)
CONTACT = UUID(int=7)


def notify(*names: str) -> Notify:
    return Notify(targets=tuple(Target(kind="person", id=name) for name in names))


def chain(*steps: Step, minutes: int = 30) -> Chain:
    return Chain(chain_id="c", name="c", steps=steps, acknowledged_minutes=minutes)


STEPS = (notify("li"), Wait(minutes=5), notify("li", "wang"), Wait(minutes=10))
PEOPLE = {name: Person(person_id=name, name=name, contacts=(CONTACT,)) for name in ("li", "wang")}
PEOPLE["mute"] = Person(person_id="mute", name="mute")
ROUTE = Route(route_id="r", name="r", chain="c", repeat_interval_seconds=3_600)


def oncall(*steps: Step, route: Route = ROUTE) -> Oncall:
    gap = Roster(roster_id="gap", name="gap", layers=())
    return Oncall(PEOPLE, {"gap": gap}, {"c": chain(*(steps or STEPS))}, [route])


def incident(**fields: Any) -> Incident:
    values = {
        "id": UUID(int=1), "title": "x", "state": "open", "alert_state": "active", "grade": 2,
        "priority": 2, "area_id": None, "subjects": ("a",), "rule_id": "gas", "rule_version": 1,
        "opened_at": NOW, "updated_at": NOW, "observed_at": NOW, "deadline_at": None,
    }  # fmt: skip
    return Incident.model_validate(values | fields)


class Night:
    """An escalation as time passes; everybody who is to be told is told at once."""

    def __init__(self, known: Oncall, one: Incident) -> None:
        self.known = known
        self.incident = one
        self.escalation = Escalation(one.id)
        self.told: set[str] = set()
        self.said: list[tuple[int, str, str]] = []  # minute, recipient, reason
        self.silent: list[str] = []

    def look(self, minute: float) -> list[Notice]:
        now = NOW + timedelta(minutes=minute)
        around = Surroundings(self.known, (), frozenset(self.told), now)
        self.escalation, made = decide(self.escalation, self.incident, around)
        for one in made:
            if one.recipient == NOBODY:
                self.silent.append(one.why)
                continue
            self.told.add(one.recipient)
            self.said.append((int(minute), one.recipient.removeprefix("person:"), one.reason))
        return made

    def until(self, minute: float) -> None:
        """Look whenever it wants to be looked at."""
        self.look(0)
        while self.escalation.next_at is not None:
            next_minute = (self.escalation.next_at - NOW).total_seconds() / 60
            if next_minute > minute:
                return
            self.look(next_minute)


def test_a_chain_goes_on_until_somebody_takes_it() -> None:
    night = Night(oncall(*STEPS, Repeat(times=1)), incident())
    night.until(30)
    assert night.said == [
        (0, "li", "new"), (5, "li", "repeat"), (5, "wang", "escalated"),
        (15, "li", "repeat"), (20, "li", "repeat"), (20, "wang", "repeat"),
    ]  # fmt: skip
    assert night.escalation.next_at == NOW + timedelta(minutes=30 + 60)  # and again, for ever


def test_an_acknowledgement_stops_it_and_expires_if_nothing_follows() -> None:
    night = Night(oncall(), incident())
    night.look(0)
    night.incident = incident(
        state="acknowledged", version=2, updated_at=NOW + timedelta(minutes=2)
    )
    night.until(31)
    assert len(night.said) == 1
    assert night.escalation.stage == "acknowledged"
    night.until(38)
    assert [minute for minute, _, _ in night.said] == [0, 32, 37, 37]
    night.incident = night.incident.model_copy(update={"state": IncidentState.HANDLING})
    night.look(39)  # the same version: as if the clock had not been asked
    night.incident = night.incident.model_copy(update={"version": 3})
    assert night.look(40) == []
    assert night.escalation.next_at is None


def test_an_end_is_told_to_those_who_were_told_and_to_nobody_else() -> None:
    for end in ({"state": "resolved"}, {"state": "closed"}, {"alert_state": "cleared"}):
        night = Night(oncall(), incident())
        night.look(0)
        night.incident = incident(version=2, **end)
        night.look(1)
        night.look(2)
        assert night.said == [(0, "li", "new"), (1, "li", "resolved")]
        assert (night.escalation.stage, night.escalation.next_at) == ("over", None)
        night.incident = incident(version=3)  # again
        night.look(3)
        assert night.said[2:] == [(3, "li", "repeat")]


def test_what_becomes_more_urgent_is_routed_anew_even_when_acknowledged() -> None:
    calm = Route(route_id="calm", name="x", chain="c", matchers=RouteMatchers(priority=(3, 4)))
    known = replace(oncall(), routes=[calm, ROUTE])
    night = Night(known, incident(priority=3))
    night.look(0)
    night.incident = incident(priority=1, version=2)
    made = night.look(1)
    assert {(one.route_id, one.reason) for one in made} == {("calm", "changed"), ("r", "repeat")}
    assert all(one.urgent and one.due_at == one.created_at for one in made)
    taken = Night(known, incident(priority=3))
    taken.look(0)
    taken.incident = incident(priority=2, version=2, state="handling")
    assert [one.reason for one in taken.look(1)] == ["changed"]
    assert taken.escalation.stage == "acknowledged"


def test_what_is_hidden_is_told_to_nobody_until_it_shows() -> None:
    hidden = Suppression(by="silence", id="s")
    for fields in (
        {"suppressed": hidden}, {"parent_id": uuid4()}, {"historical": True},
        {"merged_into": uuid4()},
    ):  # fmt: skip
        night = Night(oncall(), incident(**fields))
        assert night.look(0) == []
        assert night.escalation.next_at is None
        night.incident = incident(version=2)
        night.look(9)
        assert night.said == [(9, "li", "new")]


def test_nobody_waits_for_somebody_who_cannot_be_told() -> None:
    steps = (notify("mute"), Wait(minutes=30), notify("wang"), Wait(minutes=5), notify("li"))
    night = Night(oncall(*steps), incident())
    night.until(6)
    assert [(minute, name) for minute, name, _ in night.said] == [(0, "wang"), (5, "li")]


def test_a_gap_in_the_roster_is_said_and_passed_over() -> None:
    roster = Notify(targets=(Target(kind="roster", id="gap"),))
    night = Night(oncall(roster, Wait(minutes=30), notify("li")), incident())
    night.look(0)
    assert night.silent == ["nobody is on duty by roster gap"]
    assert night.said == [(0, "li", "new")]


def test_where_nobody_can_be_told_it_is_tried_again_and_said_once() -> None:
    night = Night(oncall(notify("mute"), Wait(minutes=5)), incident())
    night.until(20)
    assert night.silent == ["nobody of chain c to tell"]
    assert night.escalation.next_at == NOW + 5 * AGAIN
    night.known = oncall(notify("li"))  # the chain stays as it was; the person gets a contact
    night.known = replace(night.known, people={**PEOPLE, "mute": PEOPLE["li"]})
    night.look(25)
    assert [name for _, name, _ in night.said] == ["mute"]


def test_without_a_route_it_is_looked_at_again() -> None:
    night = Night(replace(oncall(), routes=[]), incident())
    night.until(12)
    assert night.silent == ["no route fits"]
    night.known = oncall()
    night.until(16)
    assert night.said == [(16, "li", "new")] or night.said[0][1:] == ("li", "new")


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["open", "acknowledged", "handling", "resolved", "closed"]),
            st.sampled_from(["active", "cleared", "none"]),
            st.integers(1, 4),
            st.booleans(),
            st.floats(0.1, 90),
        ),
        max_size=12,
    )
)
def test_what_must_be_told_always_has_a_next_step(
    changes: list[tuple[str, str, int, bool, float]],
) -> None:
    night = Night(oncall(*STEPS, Repeat(times=1)), incident())
    minute = 0.0
    night.look(minute)
    for version, (state, alert, priority, quiet, pause) in enumerate(changes, start=2):
        night.until(minute + pause)
        minute += pause
        night.incident = incident(
            state=state, alert_state=alert, priority=priority, version=version,
            updated_at=NOW + timedelta(minutes=minute),
            suppressed=Suppression(by="silence", id="s") if quiet else None,
        )  # fmt: skip
        night.look(minute)
        must = state in ("open", "acknowledged") and alert != "cleared" and not quiet
        if must:
            assert night.escalation.next_at is not None
            assert night.escalation.next_at > NOW + timedelta(minutes=minute)
