"""The shifts of a roster over a time, with its hand-overs and its gaps. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

from services.alerts.oncall.hours import instant, spans
from services.alerts.oncall.roster import Duty, Layer, Override, Roster, duty


@dataclass(frozen=True)
class Shift:
    """From `starts_at` until before `ends_at` the same people are on duty; nobody: a gap."""

    starts_at: datetime
    ends_at: datetime
    duty: Duty

    @property
    def gap(self) -> bool:
        """Whether nobody is on duty."""
        return not self.duty.people


def shifts(
    roster: Roster, overrides: Sequence[Override], first: datetime, last: datetime
) -> Sequence[Shift]:
    """All of [first, last), without a hole and in order: gaps are shifts of nobody. `overrides`: of
    this roster."""
    moments = {first, last}
    for layer in roster.layers:
        moments |= set(_changes(layer, roster.clocks, first, last))
    for one in overrides:
        moments |= {one.starts_at, one.ends_at}
    found: list[Shift] = []
    inside = sorted(moment for moment in moments if first <= moment <= last)
    for begins, ends in pairwise(inside):
        now = duty(roster, overrides, begins)
        if found and found[-1].duty == now:
            found[-1] = Shift(found[-1].starts_at, ends, now)
        else:
            found.append(Shift(begins, ends, now))
    return found


def _changes(layer: Layer, zone: ZoneInfo, first: datetime, last: datetime) -> Iterator[datetime]:
    """Moments at which what a layer says may change."""
    number = max(0, layer.number(first, zone))
    while (begins := layer.begins(number, zone)) <= last:
        yield begins
        number += 1
    if layer.ends_on is not None:
        yield instant(layer.ends_on, layer.hand_over, zone)
    for span in spans(layer.hours, zone, first, last):
        yield from span
