"""Restarts anywhere, ticks anywhere, a backlog instead of a stream: the same alerts."""

from hypothesis import given, settings
from hypothesis import strategies as st

from services.alerts.rules.rule import Rule
from tests.unit.alerts.hearings import SECOND, Hearing, Told, rule, told

RULES: list[Rule] = [
    rule(id="plain", above=8, deadband=1),
    rule(id="slow", above=8, **{"for": "90s"}, clear_for="60s", min_samples=2),
    rule(id="ladder", levels=[{"above": 6, "grade": 3, "priority": 3},
                              {"above": 9, "grade": 1, "priority": 1}], no_data="3m"),
    rule(id="absent", absent="4m"),
    rule(id="rise", rate={"above": 4, "over": "5m"}),
    rule(id="stuck", stuck={"for": "3m", "within": 0.5}),
    rule(id="week", week={"above": 1, "bucket": "15m"}),
    rule(id="unusual", unusual={"above": 0.9, "every": "10s"}),
    rule(id="both", all=[{"above": 5, "for": "1m"}, {"not": {"metric": "n", "below": 4}}]),
    rule(id="neither", any=[{"metric": "n", "absent": "5m"}, {"metric": "n", "above": 9}]),
    rule(id="trusted", above=8, quality="good", flapping={"raises": 2, "within": "10m"}),
    rule(id="members", groups=[{"id": "g", "sensors": ["*"]}],
         count={"of": {"above": 7}, "at_least": 2}),
]  # fmt: skip

Step = tuple[float, str, float, str]
STREAM = st.lists(
    st.tuples(
        st.integers(1, 400),  # seconds since the one before
        st.sampled_from(["a/m", "a/m", "b/m", "a/n"]),
        st.sampled_from([1.0, 5.5, 7.5, 8.5, 9.5, 12.0]),
        st.sampled_from(["good", "good", "good", "suspect", "bad"]),
    ),
    max_size=60,
)


def in_time(stream: list[Step]) -> list[Step]:
    """The same with moments in place of intervals."""
    now, found = 1_000_000.0, []
    for wait, name, value, quality in stream:
        now += wait
        found.append((now, name, value, quality))
    return found


def by_alert(hearing: Hearing) -> dict[tuple[str, str], list[Told]]:
    """What was said of each rule and sensor, in order."""
    found: dict[tuple[str, str], list[Told]] = {}
    for one, said in zip(hearing.told, told(hearing.told), strict=True):
        found.setdefault(one.key, []).append(said)
    return found


@settings(max_examples=150, deadline=None)
@given(STREAM, st.sets(st.integers(0, 60)))
def test_a_restart_anywhere_changes_nothing(stream: list[Step], cuts: set[int]) -> None:
    whole, cut = Hearing(*RULES), Hearing(*RULES)
    conditions: list[list[object]] = [[], []]
    for number, step in enumerate(in_time(stream)):
        for hearing, said in zip((whole, cut), conditions, strict=True):
            hearing.take(step)
            hearing.take(step[0] + 1)
            said.extend(hearing.judgement.changes().conditions)
            hearing.drop()
        if number in cuts:
            cut.cut()
    assert told(cut.told) == told(whole.told)
    assert conditions[0] == conditions[1]


@settings(max_examples=150, deadline=None)
@given(STREAM, st.lists(st.integers(1, 24_000), max_size=40))
def test_ticks_change_nothing_but_when_it_is_said(stream: list[Step], ticks: list[int]) -> None:
    steps = in_time(stream)
    end = (steps[-1][0] if steps else 0.0) + 7_200
    live, backlog = Hearing(*RULES), Hearing(*RULES)
    moments = sorted(1_000_000.0 + tick for tick in ticks if 1_000_000 + tick < end)
    for step in steps:
        while moments and moments[0] <= step[0]:
            live.take(moments.pop(0))
            live.drop()
        live.take(step)
        live.drop()
        backlog.take(step, late=end - step[0])
        backlog.drop()
    for hearing in (live, backlog):
        hearing.take(end + 86_400)
    # Conditions over two series depend on which was heard first; the rest is equal in every field.
    mixed = {"both", "neither"}
    one, other = by_alert(live), by_alert(backlog)
    assert {k: v for k, v in one.items() if k[0] not in mixed} == {
        k: v for k, v in other.items() if k[0] not in mixed
    }


@settings(max_examples=60, deadline=None)
@given(STREAM)
def test_a_backlog_is_historical_and_a_stream_is_not(stream: list[Step]) -> None:
    for late, historical in ((0.0, False), (3_601.0, True)):
        hearing = Hearing(*RULES)
        for step in in_time(stream):
            hearing.take(step, late)
            hearing.drop()
        by_reading = [t for t in hearing.told if t.kind in ("raised", "changed")]
        assert all(t.historical is historical for t in by_reading if t.rule.id == "plain")


def test_alerts_name_their_start() -> None:
    hearing = Hearing(rule(above=8, **{"for": "60s"}))
    hearing.take((100, "m", 9))
    hearing.take((160, "m", 9))
    [raised] = hearing.told
    assert (raised.started_us, raised.observed_us) == (100 * SECOND, 160 * SECOND)
