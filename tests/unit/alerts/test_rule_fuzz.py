"""Whatever somebody writes as a rule is a rule or is refused where it is wrong; and whatever rule
there is can hear whatever comes."""

import json
from typing import Any, Literal

import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from services.alerts.rehearsal.stage import Stage
from services.alerts.rules.files import Found, RuleError, parse, parse_one
from shared.contracts.reading import Reading
from tests.unit.alerts.any_rule import METRICS, SENSORS, rules

MANY = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
    | st.sampled_from(["above", "for", "levels", "5m", 10**400, -1, "\x00", "\ud800"])
)  # fmt: skip
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=8,
)
QUALITIES: list[Literal["good", "suspect", "bad"]] = ["good", "good", "suspect", "bad"]
START_US = 1_777_593_600_000_000


def lines(text: str) -> int:
    """As YAML counts them."""
    return 1 + sum(text.count(end) for end in "\n\r\x85\u2028\u2029")


def is_refusal(error: RuleError, text: str) -> None:
    assert error.file == "fuzz"
    assert 1 <= error.line <= lines(text)
    assert error.detail
    assert "Traceback" not in error.detail and "pydantic" not in error.detail


def check(text: str) -> None:
    found, errors = parse(text, "fuzz")
    for error in errors:
        is_refusal(error, text)
    for one in found:
        assert 1 <= one.line <= lines(text)
        json.dumps(one.document)
        one.rule.public()


@st.composite
def mutated(draw: st.DrawFn) -> Any:
    """A rule in which something was replaced, left out or added."""
    document = draw(rules())
    for _ in range(draw(st.integers(1, 3))):
        place: Any = document
        while True:
            keys: list[Any] = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if isinstance(place[key], dict | list) and draw(st.booleans()):
                place = place[key]
                continue
            match draw(st.integers(0, 2)):
                case 0:
                    del place[key]
                case 1:
                    place[key] = draw(ANYTHING)
                case _ if isinstance(place, dict):
                    place[draw(st.text(max_size=6) | st.just("for"))] = draw(ANYTHING)
            break
    return document


@given(st.text(max_size=300))
@MANY
def test_any_text(text: str) -> None:
    check(text)
    check(f"- id: x\n  {text}")


@given(st.lists(ANYTHING, max_size=3))
@MANY
def test_any_yaml(document: Any) -> None:
    check(yaml.dump(document, allow_unicode=True))


@given(mutated(), st.booleans())
@MANY
def test_nearly_rules(document: Any, flow: bool) -> None:
    check(yaml.dump([document, document], allow_unicode=True, default_flow_style=flow))


@given(ANYTHING | mutated())
@MANY
def test_any_json(document: Any) -> None:
    text = json.dumps(document)
    outcome = parse_one(text, "fuzz", is_json=True)
    if isinstance(outcome, RuleError):
        is_refusal(outcome, text)
        if outcome.pointer:
            place: Any = document[0] if isinstance(document, list) else document
            for part in outcome.pointer.split("/")[1:-1]:  # the last one may be what is missing
                name = part.replace("~1", "/").replace("~0", "~")
                place = place[int(name)] if isinstance(place, list) else place[name]


@st.composite
def streams(draw: st.DrawFn) -> list[tuple[str, Any]]:
    """Readings and ticks, mostly forwards in time."""
    now = START_US
    events: list[tuple[str, Any]] = []
    for _ in range(draw(st.integers(1, 40))):
        now += draw(st.sampled_from([0, 1, 30, 60, 600, 7_200, 90_000])) * 1_000_000
        if draw(st.integers(0, 4)) == 0:
            events.append(("tick", now))
            continue
        value = draw(st.sampled_from([0.0, 1.0, 8.0, 9.5, 60.0, -60.0, 1e308, -1e308, 5e-324]))
        late = draw(st.sampled_from([0, 0, 0, 30, 7_200])) * 1_000_000
        quality = draw(st.sampled_from(QUALITIES))
        sensor, metric = draw(st.sampled_from(SENSORS)), draw(st.sampled_from(METRICS))
        reading = Reading(sensor, metric, now - late, value, quality)
        events.append(("reading", (reading, now)))
    return events


@given(rules(), streams())
@MANY
def test_any_rule_hears_anything(document: dict[str, Any], events: list[tuple[str, Any]]) -> None:
    outcome = parse_one(json.dumps(document), "fuzz", is_json=True)
    assume(isinstance(outcome, Found))
    assert isinstance(outcome, Found)
    stage = Stage([outcome.rule], {sensor: frozenset({"441200"}) for sensor in SENSORS})
    standing: dict[tuple[str, str], int] = {}
    for kind, event in events:
        if kind == "tick":
            stage.tick(event)
        else:
            stage.hear(*event)
        for told in stage.said() + stage.combine():
            assert told.started_us <= max(told.observed_us, told.started_us)
            if told.kind == "raised":
                assert told.key not in standing
                standing[told.key] = told.started_us
            else:
                assert standing[told.key] == told.started_us
            if told.kind == "cleared":
                del standing[told.key]


def test_the_rules_made_here_are_mostly_right() -> None:
    right = wrong = 0

    @given(rules())
    @settings(max_examples=300, deadline=None, database=None, derandomize=True)
    def count(document: dict[str, Any]) -> None:
        nonlocal right, wrong
        outcome = parse_one(json.dumps(document), "fuzz", is_json=True)
        right += isinstance(outcome, Found)
        wrong += isinstance(outcome, RuleError)

    count()
    assert right > wrong
