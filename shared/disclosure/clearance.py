"""What somebody may be told. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import overload

from shared.disclosure.level import Level


@dataclass(frozen=True, slots=True)
class Clearance:
    """`level`: fields up to it are told as they are. `subjects`: data-subject fields, such as
    `reports.phone`, each by a grant of its own: no level opens them.

    Of a grant's key besides: `fields` such as `readings.value`: nothing else is told (None: not
    confined); `areas`, with all below them: empty for everywhere; `metrics`: empty for all;
    `since` (inclusive), `until` (exclusive): only what was observed then.
    """

    level: Level
    subjects: frozenset[str] = frozenset()
    fields: frozenset[str] | None = None
    areas: frozenset[str] = frozenset()
    metrics: frozenset[str] = frozenset()
    since: datetime | None = None
    until: datetime | None = None

    @property
    def datasets(self) -> frozenset[str] | None:
        """What it is confined to; None: not confined."""
        if self.fields is None:
            return None
        return frozenset(field.partition(".")[0] for field in self.fields)

    def covers(self, moment: datetime) -> bool:
        """Whether what was observed then may be told."""
        return (self.since is None or self.since <= moment) and (
            self.until is None or moment < self.until
        )

    @overload
    def confined(self, start: datetime, end: datetime) -> tuple[datetime, datetime]: ...

    @overload
    def confined(
        self, start: datetime | None, end: datetime
    ) -> tuple[datetime | None, datetime]: ...

    @overload
    def confined(
        self, start: datetime | None, end: datetime | None
    ) -> tuple[datetime | None, datetime | None]: ...

    def confined(
        self, start: datetime | None, end: datetime | None
    ) -> tuple[datetime | None, datetime | None]:
        """As much of a span (None: without an end on that side) as may be told; it may be empty."""
        starts = [moment for moment in (start, self.since) if moment is not None]
        ends = [moment for moment in (end, self.until) if moment is not None]
        return max(starts, default=None), min(ends, default=None)


PUBLIC = Clearance(Level.PUBLIC)
