"""Who would be told, when: a chain played forward while nobody acknowledges. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from services.alerts.oncall.chain import Chain, Notify, Target, Wait
from services.alerts.oncall.oncall import Oncall


@dataclass(frozen=True)
class Call:
    """At a moment these are told. `people`: ids; `gaps`: rosters by which nobody is on duty then;
    `unknown`: people whom a roster or the chain names and whom nobody has entered."""

    at: datetime
    people: tuple[str, ...]
    endpoints: tuple[UUID, ...]
    gaps: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def calls(chain: Chain, oncall: Oncall, start: datetime) -> Sequence[Call]:
    """Of one pass of a chain that begins at `start`."""
    found: list[Call] = []
    at = start
    for step in chain.unrolled:
        if isinstance(step, Wait):
            at += timedelta(minutes=step.minutes)
        else:
            found.append(call(step, oncall, at))
    return found


def call(step: Notify, oncall: Oncall, at: datetime) -> Call:
    """Whom a step tells at a moment; each once, in the order of the step."""
    gaps: list[str] = []
    named = list(dict.fromkeys(_people(step.targets, oncall, at, gaps)))
    known = tuple(one for one in named if one in oncall.people)
    unknown = tuple(one for one in named if one not in oncall.people)
    ids = (one.id for one in step.targets if one.kind == "endpoint")
    return Call(at, known, tuple(UUID(one) for one in ids), tuple(gaps), unknown)


def _people(
    targets: Iterable[Target], oncall: Oncall, at: datetime, gaps: list[str]
) -> Iterator[str]:
    for target in targets:
        if target.kind == "person":
            yield target.id
        elif target.kind == "roster":
            on_duty = oncall.on_duty(target.id, at)
            if not on_duty:
                gaps.append(target.id)
            yield from on_duty
