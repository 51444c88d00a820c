"""Rules of every kind, as somebody might write them: nearly all of them right."""

from typing import Any

from hypothesis import strategies as st

METRICS = ("water.level", "weather.rain", "gas.concentration")
SENSORS = ("a", "b", "c")
NUMBERS = st.integers(-50, 50) | st.floats(-1e6, 1e6, allow_nan=False)
SPANS = st.sampled_from(["1s", "30s", "5m", "1h30m", "1d", 1, 60, 3_600])
DELAYS = SPANS | st.just("0s")
SEVERITY = {"grade": st.integers(1, 4), "priority": st.integers(1, 4)}
COLOURS = st.sampled_from(["red", "orange", "yellow", "blue"])


@st.composite
def limits(draw: st.DrawFn, *, ladder: bool, sign: int = 0) -> dict[str, Any]:
    """`sign`: of a rate, whose rises are positive and falls negative."""
    upwards = draw(st.booleans()) if sign == 0 else sign > 0
    key = "above" if upwards else "below"
    number = st.integers(1, 50).map(lambda n: n * (1 if upwards else -1)) if sign else NUMBERS
    found: dict[str, Any] = {}
    if draw(st.booleans()):
        found["deadband"] = draw(st.integers(0, 10))
    if not ladder or draw(st.booleans()):
        return found | {key: draw(number)}
    steps = sorted(draw(st.sets(number, min_size=1, max_size=4)), reverse=not upwards)
    levels = [{key: step} | draw(st.fixed_dictionaries(SEVERITY)) for step in steps]
    return found | {"levels": levels}


@st.composite
def simple(draw: st.DrawFn, *, ladder: bool) -> dict[str, Any]:
    """One sensor's condition, of one kind."""
    match draw(st.integers(0, 4)):
        case 0 | 1:
            found = draw(limits(ladder=ladder))
        case 2:
            sign = draw(st.sampled_from([-1, 1]))
            return {"rate": draw(limits(ladder=ladder, sign=sign)) | {"over": draw(SPANS)}}
        case 3:
            return {"absent": draw(SPANS)}
        case _:
            return {"stuck": {"for": draw(SPANS), "within": draw(st.integers(0, 3))}}
    for key in draw(st.sets(st.sampled_from(["for", "clear_for", "min_samples"]))):
        found[key] = draw(st.integers(1, 5)) if key == "min_samples" else draw(DELAYS)
    return found


@st.composite
def inside(draw: st.DrawFn, depth: int = 1) -> dict[str, Any]:
    """A condition within another."""
    if depth == 0 or draw(st.booleans()):
        found = draw(simple(ladder=False))
        return found | ({"metric": draw(st.sampled_from(METRICS))} if draw(st.booleans()) else {})
    if draw(st.booleans()):
        return {"not": draw(inside(depth - 1))}
    key = draw(st.sampled_from(["all", "any"]))
    return {key: draw(st.lists(inside(depth - 1), min_size=1, max_size=3))}


@st.composite
def conditions(draw: st.DrawFn) -> dict[str, Any]:
    """What a rule asks, with the subject that goes with it."""
    match draw(st.integers(0, 7)):
        case 7:
            within = draw(st.sampled_from(["1h", "6h"]))
            return {"forecast": draw(limits(ladder=True)) | {"within": within}}
        case 6:
            return {"unusual": {"above": draw(st.floats(0.01, 0.99)), "every": draw(SPANS)}}
        case 0:
            by = draw(st.sampled_from(["difference", "ratio"]))
            compared = draw(limits(ladder=True)) | {"with": "a", "by": by, "within": draw(SPANS)}
            return {"sensors": ["b", "c"], "compare": compared}
        case 1:
            bucket = draw(st.sampled_from(["1h", "15m", "1d"]))
            return {"week": draw(limits(ladder=True)) | {"bucket": bucket}}
        case 2:
            return {"count": {"of": draw(inside()), "at_least": draw(st.integers(1, 3))},
                    "groups": [{"id": "river", "sensors": list(SENSORS)}]}  # fmt: skip
        case 3:
            return {
                "subject": "area",
                "areas": ["441200"],
                "count": {"of": draw(inside()), "share": 0.5},
            }
        case 4:
            return draw(inside(2))
        case _:
            return draw(simple(ladder=True))


@st.composite
def rules(draw: st.DrawFn) -> dict[str, Any]:
    """A whole rule, as a document."""
    found = {
        "id": "any",
        "title": {"zh": "任意", "en": "any"},
        "metric": draw(st.sampled_from(METRICS)),
        **draw(st.fixed_dictionaries(SEVERITY)),
        **draw(conditions()),
    }
    extra = {
        "no_data": SPANS,
        "quality": st.sampled_from(["good", "suspect", "bad"]),
        "warning": COLOURS,
        "active": st.fixed_dictionaries(
            {"hours": st.sampled_from(["22:00-06:00", "08:00-18:30"])},
            optional={"days": st.just(["workday", "sat"])},
        ),
        "flapping": st.fixed_dictionaries({"raises": st.integers(2, 5), "within": SPANS}),
        "deadline": SPANS,
        "areas": st.just(["441200"]),
        "group_by": st.just(["cause", "district"]),
    }
    for key in draw(st.sets(st.sampled_from(sorted(extra)), max_size=3)):
        found[key] = draw(extra[key])
    return found
