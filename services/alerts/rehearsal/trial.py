"""Plays the cases of a test file, and compares. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from services.alerts.judging.transition import Key, Transition
from services.alerts.rehearsal.cases import Case, Raised, Standing, Written, sent
from services.alerts.rehearsal.series import Sample
from services.alerts.rehearsal.stage import Stage
from services.alerts.rules.rule import Rule
from shared.clock import to_micros
from shared.contracts.reading import Reading

SECOND_US = 1_000_000


@dataclass(frozen=True)
class Failure:
    """A case that went otherwise: where it is written, and how the two differ, line by line."""

    line: int
    case: str
    what: str
    difference: tuple[str, ...]


@dataclass
class Told:
    """What a case has led to so far. Times: seconds after its start."""

    standing: dict[Key, Transition] = field(default_factory=dict)
    raised: list[tuple[Key, int]] = field(default_factory=list)
    ended: dict[tuple[Key, int], int] = field(default_factory=dict)


def play(written: Written, rules: Sequence[Rule]) -> Iterator[tuple[Case, list[Failure]]]:
    """Every case of a file, on its own."""
    for number, case in enumerate(written.model.tests):
        yield case, list(_play_one(written, number, case, rules))


def raised(case: Case, rules: Sequence[Rule]) -> list[tuple[Key, int, int | None]]:
    """Every alert of a case: since when, and until when (None: it still stands), in seconds after
    the case's start."""
    told = Told()
    for _ in _moments(case, rules, told):
        pass
    return [(key, start, told.ended.get((key, start))) for key, start in told.raised]


def _moments(case: Case, rules: Sequence[Rule], told: Told) -> Iterator[int]:
    """Plays a case; stops at every second at which something is sent or expected."""
    start_us = to_micros(case.start)
    stage = Stage(rules, {sensor: frozenset(areas) for sensor, areas in case.places.items()})
    sending = _readings(case, start_us)
    for at in sorted({*sending, *(moment.at for moment in case.expect)}):
        now_us = start_us + at * SECOND_US
        for reading in sending.get(at, ()):
            stage.hear(reading, now_us)
        stage.tick(now_us)
        _take(told, stage.said() + stage.combine(), start_us)
        yield at


def _play_one(
    written: Written, number: int, case: Case, rules: Sequence[Rule]
) -> Iterator[Failure]:
    told = Told()
    checks = sorted(enumerate(case.expect), key=lambda each: each[1].at)
    for at in _moments(case, rules, told):
        while checks and checks[0][1].at == at:
            place, moment = checks.pop(0)
            difference = _compare(
                [_wanted(one) for one in moment.alerts],
                [_found(one, moment.alerts) for one in told.standing.values()],
            )
            if difference:
                line = written.line("tests", number, "expect", place)
                yield Failure(line, case.name, f"at {_span(at)}", difference)
    if case.raised is not None:
        difference = _compare(*_histories(case.raised, told))
        if difference:
            line = written.line("tests", number, "raised")
            yield Failure(line, case.name, "alerts raised", difference)


def _readings(case: Case, start_us: int) -> dict[int, list[Reading]]:
    """Second after the start → what is sent then, in the order of the file."""
    found: dict[int, list[Reading]] = {}
    for sensor_id, metric, samples in sent(case):
        newest: Reading | None = None
        for step, sample in enumerate(samples):
            at = step * case.interval
            reading = _reading(sensor_id, metric, start_us + at * SECOND_US, sample, newest)
            if reading is not None:
                found.setdefault(at, []).append(reading)
                newest = reading
            found.setdefault(at, [])
    return found


def _reading(
    sensor_id: str, metric: str, at_us: int, sample: Sample | None, newest: Reading | None
) -> Reading | None:
    if sample is None:
        return None
    if sample.stale:
        return newest
    return Reading(sensor_id, metric, at_us, sample.value, sample.quality)


def _take(told: Told, transitions: Sequence[Transition], start_us: int) -> None:
    for one in transitions:
        start = (one.started_us - start_us) // SECOND_US
        if one.kind == "cleared":
            told.standing.pop(one.key, None)
            told.ended[one.key, start] = (one.observed_us - start_us) // SECOND_US
            continue
        if one.kind == "raised":
            told.raised.append((one.key, start))
        told.standing[one.key] = one


Line = tuple[str, ...]


def _wanted(one: Standing) -> Line:
    severity = [
        f"{name} {value}" for name in _SEVERITY if (value := getattr(one, name)) is not None
    ]
    return one.rule, one.subject, one.state, *severity


def _found(one: Transition, wanted: Sequence[Standing]) -> Line:
    """The alert with just what the expectation of the same alert names."""
    asked = next((each for each in wanted if (each.rule, each.subject) == one.key), None)
    state = "no_data" if one.kind == "no_data" else "active"
    severity = [
        f"{name} {value or 'none'}"
        for name, value in (
            ("grade", one.grade),
            ("priority", one.priority),
            ("warning", one.warning),
        )
        if asked is None or getattr(asked, name) is not None
    ]
    return *one.key, state, *severity


_SEVERITY = ("grade", "priority", "warning")


def _histories(wanted: Sequence[Raised], told: Told) -> tuple[list[Line], list[Line]]:
    expected = [
        (one.rule, one.subject, f"from {_span(one.start)}", *_until(one.end)) for one in wanted
    ]
    asked = {(one.rule, one.subject, one.start): one.end for one in wanted}
    found = []
    for key, start in told.raised:
        end = told.ended.get((key, start))
        compared = asked.get((*key, start)) != -1
        found.append((*key, f"from {_span(start)}", *(_until(end) if compared else ())))
    return expected, found


def _until(end: int | None) -> Line:
    if end == -1:
        return ()
    return ("still standing" if end is None else f"to {_span(end)}",)


def _compare(expected: Sequence[Line], found: Sequence[Line]) -> tuple[str, ...]:
    missing, more = list(expected), []
    for one in found:
        if one in missing:
            missing.remove(one)
        else:
            more.append(one)
    lines = [f"- expected  {'  '.join(one)}" for one in sorted(missing)]
    return *lines, *(f"+ found     {'  '.join(one)}" for one in sorted(more))


def _span(seconds: int) -> str:
    """90 → 1m30s."""
    if seconds < 0:
        return f"-{_span(-seconds)}"
    parts = []
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= size:
            parts.append(f"{seconds // size}{unit}")
            seconds %= size
    return "".join(parts) + (f"{seconds}s" if seconds or not parts else "")
