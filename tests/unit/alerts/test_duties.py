"""Deadlines of steps, whose an incident is, and the folder that says so."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from services.alerts.duties import files
from services.alerts.duties.calendar import Calendar
from services.alerts.duties.deadlines import Deadlines, DutyStep
from services.alerts.duties.departments import Category, Department, Departments
from services.alerts.rules import files as rule_files
from shared.contracts.incident import Incident, IncidentState
from shared.errors import Misconfigured

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "rules" / "duties"
BOOK = files.load(FOLDER)
DEADLINES = Deadlines(BOOK.terms, Calendar(BOOK.hours, BOOK.zone))
FRIDAY = datetime(2026, 11, 27, 9, tzinfo=UTC)  # 17:00 in Zhaoqing
S = IncidentState


def incident(state: IncidentState, grade: int = 4, department: str | None = None) -> Incident:
    due = DEADLINES.opened(grade, None, FRIDAY)
    return Incident(
        id=uuid4(), title="t", state=state, grade=grade, priority=1, area_id=None, subjects=(),
        rule_id=None, rule_version=None, opened_at=FRIDAY, updated_at=FRIDAY, observed_at=FRIDAY,
        deadline_at=due.deadline_at, step_due_at=due.step_due_at, department=department,
    )  # fmt: skip


def moved(before: Incident, **changed: object) -> Incident:
    later = FRIDAY + timedelta(minutes=7)
    return DEADLINES.moved(before, before.model_copy(update={"updated_at": later} | changed))


def test_an_emergency_does_not_wait_for_monday() -> None:
    assert DEADLINES.opened(1, None, FRIDAY).step_due_at == FRIDAY + timedelta(minutes=5)
    monday = datetime(2026, 11, 30, 0, 30, tzinfo=UTC)
    assert DEADLINES.opened(4, None, FRIDAY).step_due_at == monday + timedelta(minutes=30)


def test_a_rules_own_deadline_is_kept() -> None:
    assert DEADLINES.opened(4, 600, FRIDAY).deadline_at == FRIDAY + timedelta(minutes=10)
    strict = incident(S.OPEN).model_copy(update={"deadline_at": FRIDAY + timedelta(minutes=10)})
    assert moved(strict, grade=3).deadline_at == strict.deadline_at
    usual = moved(incident(S.OPEN), grade=1)
    assert usual.deadline_at == FRIDAY + BOOK.terms[1].case


def test_each_step_has_its_own_deadline() -> None:
    later = FRIDAY + timedelta(minutes=7)
    steps = BOOK.terms[2].steps
    for before, after, step in [
        (S.OPEN, S.ACKNOWLEDGED, DutyStep.DISPATCH), (S.OPEN, S.DISPATCHED, DutyStep.HANDLE),
        (S.HANDLING, S.RESOLVED, DutyStep.VERIFY), (S.CLOSED, S.OPEN, DutyStep.ACKNOWLEDGE),
    ]:  # fmt: skip
        after_it = moved(incident(before, 2).model_copy(update={"overdue": True}), state=after)
        assert after_it.step_due_at == later + steps[step]
        assert not after_it.overdue
    assert moved(incident(S.RESOLVED), state=S.CLOSED).step_due_at is None


def test_what_begins_no_step_moves_no_deadline() -> None:
    late = incident(S.DISPATCHED, 2, "a").model_copy(update={"overdue": True})
    same = moved(late, state=S.HANDLING)
    assert (same.step_due_at, same.overdue) == (late.step_due_at, True)
    assert moved(late, title="x").step_due_at == late.step_due_at
    handed_over = moved(late, department="b")
    assert (handed_over.overdue, handed_over.deadline_at) == (False, late.deadline_at)
    assert handed_over.step_due_at != late.step_due_at


def test_a_graver_incident_is_due_earlier() -> None:
    graver = moved(incident(S.ACKNOWLEDGED, 4), grade=1)
    assert graver.step_due_at == graver.updated_at + BOOK.terms[1].steps[DutyStep.DISPATCH]


PUMP = Category("pump", "component", "泵站", "pump")
FLOOD = Category("flooding", "event", "内涝", "flooding")
OFFICE = Department("排水处", "o", frozenset({"pump", "flooding"}))
DISTRICT = Department("端州区中心", "d", areas=frozenset({"441202"}))
TOWN = Department("城东街道", "t", frozenset({"flooding"}), frozenset({"441202001"}))
EVERYBODY = Departments([OFFICE, DISTRICT, TOWN], {"pump": PUMP, "flooding": FLOOD})
AREAS = ["441202001", "441202", "441200"]


@pytest.mark.parametrize(
    ("category", "owner", "areas", "department"),
    [
        ("pump", None, AREAS, "排水处"),
        ("pump", "水利局", AREAS, "水利局"),
        ("flooding", "水利局", AREAS, "城东街道"),
        ("flooding", None, ["441202"], "端州区中心"),
        ("flooding", None, ["441203"], "排水处"),
        ("flooding", "水利局", [], "水利局"),
        (None, "水利局", AREAS, "水利局"),
        (None, None, AREAS, "端州区中心"),
        ("odd", None, [], None),
    ],
)
def test_components_go_to_their_owner_and_events_to_their_area(
    category: str | None, owner: str | None, areas: list[str], department: str | None
) -> None:
    assert EVERYBODY.department_for(category, owner, areas) == department


def test_a_confined_owner_comes_before_the_citys() -> None:
    east = Department("东部排水", "e", frozenset({"pump"}), frozenset({"441202"}))
    both = Departments([OFFICE, east], {"pump": PUMP})
    assert both.department_for("pump", None, AREAS) == "东部排水"
    assert both.department_for("pump", None, ["441203"]) == "排水处"


def test_what_the_shipped_rules_name_is_known() -> None:
    rules, _ = rule_files.load(ROOT / "rules")
    known = {each.name for each in BOOK.departments}
    assert {rule.category for rule in rules if rule.category} <= set(BOOK.categories)
    assert {rule.department for rule in rules if rule.department} <= known
    assert {each.parent for each in BOOK.departments if each.parent} <= known
    owned = {category for each in BOOK.departments for category in each.categories}
    assert owned == set(BOOK.categories)


@pytest.mark.parametrize(
    ("file", "old", "new", "reason"),
    [
        ("deadlines.yaml", "zone: Asia/Shanghai", "zone: Mars/Base", "time zone"),
        ("deadlines.yaml", '"12:00"', '"07:00"', "one after the other"),
        ("deadlines.yaml", "  4: {", "  5: {", "4"),
        ("deadlines.yaml", "acknowledge: 5,", "acknowledge: 0,", "greater than 0"),
        ("deadlines.yaml", "zone:", "{", "deadlines.yaml"),
        ("categories.yaml", "kind: event", "kind: odd", "component"),
        ("departments.yaml", "name: {zh: 水利局", "nom: {zh: 水利局", "name"),
    ],
)
def test_a_wrong_folder_says_what_is_wrong(
    tmp_path: Path, file: str, old: str, new: str, reason: str
) -> None:
    for path in FOLDER.iterdir():
        (tmp_path / path.name).write_text(path.read_text())
    text = (tmp_path / file).read_text()
    assert old in text
    (tmp_path / file).write_text(text.replace(old, new, 1))
    with pytest.raises(Misconfigured, match=file) as caught:
        files.load(tmp_path)
    assert reason in str(caught.value)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"deadlines\.yaml"):
        files.load(tmp_path)
