"""What moved with an incident, and what was like it before: looked up when it is asked for."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.alerts.connection import reachable
from services.alerts.incidents.ledger import to_incident
from services.alerts.means import Means, Series, means
from services.alerts.related.correlation import Values, covered, departed, less, together
from services.alerts.related.neighbours import Neighbour, Tie, neighbours
from services.alerts.related.precedents import Precedent, precedents
from shared.clock import Clock, from_micros, to_micros
from shared.contracts.incident import Incident
from shared.errors import Overloaded
from shared.store.tables import incidents, sensors

BEFORE, AFTER = timedelta(hours=6), timedelta(hours=2)
DAY = timedelta(days=1)
USUAL = timedelta(hours=4)  # of the time before: what was usual, unless it had begun already
WIDTHS = (300, 900)  # of a step, in seconds: the finer one as long as it is kept
LONGEST_LAG_SECONDS = 3_600
LEAST_KNOWN = 12  # steps of the incident's own series
SHOWN = 8
MOST_AT_ONCE = 4
STATEMENT_SECONDS = 5


class Nothing(StrEnum):
    """Why nothing is said of what moved with it."""

    NO_SERIES = "no_series"  # the incident is about no single series
    TOO_LITTLE = "too_little"  # hardly anything was read of its series


@dataclass(frozen=True)
class Window:
    """Steps of `seconds` from `start` on; the incident's reading is of step `opened`."""

    start: datetime
    until: datetime
    seconds: int

    @property
    def steps(self) -> int:
        """How many."""
        return max(0, int((self.until - self.start).total_seconds()) // self.seconds)

    def at(self, step: int) -> datetime:
        """The start of a step."""
        return self.start + timedelta(seconds=step * self.seconds)


@dataclass(frozen=True)
class Companion:
    """A series that moved with the incident's. `lag_seconds`: how much later (negative: earlier);
    `since`: when it left what was usual; `against_yesterday`: compared is what was other than at
    the same time of the day before."""

    series: Series
    name: str
    tie: Tie
    r: float
    lag_seconds: int
    pairs: int
    since: datetime | None
    against_yesterday: bool
    values: Values


@dataclass(frozen=True)
class Related:
    """`compared`: how many series were looked at."""

    own: Series | None
    window: Window | None
    values: Values
    since: datetime | None
    compared: int
    nothing: Nothing | None
    companions: Sequence[Companion]
    precedents: Sequence[Precedent]


class Relations:
    """See above. At most `MOST_AT_ONCE` questions at a time."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._asking = 0

    async def of(self, incident_id: UUID) -> Related | None:
        """None: there is no such incident. Raises `Overloaded`, `Unavailable`."""
        if self._asking >= MOST_AT_ONCE:
            raise Overloaded("too many such questions at once", retry_after_seconds=1)
        self._asking += 1
        try:
            return await self._find(incident_id)
        finally:
            self._asking -= 1

    async def _find(self, incident_id: UUID) -> Related | None:
        async with reachable(self._engine.connect()) as connection:
            await connection.execute(text(f"SET LOCAL statement_timeout = '{STATEMENT_SECONDS}s'"))
            query = select(incidents).where(incidents.c.id == incident_id)
            row = (await connection.execute(query)).first()
            if row is None:
                return None
            incident = to_incident(row)
            before = await precedents(connection, incident)
            own = await _own(connection, incident)
            if own is None:
                return Related(None, None, [], None, 0, Nothing.NO_SERIES, [], before)
            near = await neighbours(connection, own)
            found = await self._read(connection, incident, [own, *(one.series for one in near)])
        if found is None:
            return Related(own, None, [], None, 0, Nothing.TOO_LITTLE, [], before)
        window, today, yesterday = found
        companions = await asyncio.to_thread(compare, near, window, today, yesterday)
        return Related(
            own, window, today[0], _since(today[0], window), len(near), None, companions, before
        )

    async def _read(
        self, connection: AsyncConnection, incident: Incident, series: Sequence[Series]
    ) -> tuple[Window, list[Values], list[Values]] | None:
        """The window, every series in it, and in that of the day before."""
        for seconds in WIDTHS:
            window = _window(incident, self._clock(), seconds)
            today = await _values(connection, series, window)
            if sum(one is not None for one in today[0]) >= LEAST_KNOWN:
                earlier = Window(window.start - DAY, window.until - DAY, seconds)
                return window, today, await _values(connection, series, earlier)
        return None


def compare(
    near: Sequence[Neighbour],
    window: Window,
    today: Sequence[Values],
    yesterday: Sequence[Values],
) -> list[Companion]:
    """Those that moved with the first series, the most alike first. Pure."""
    found = []
    longest = LONGEST_LAG_SECONDS // window.seconds
    before = int(USUAL.total_seconds()) // window.seconds
    own, own_other = today[0], less(today[0], yesterday[0])
    for place, one in enumerate(near, start=1):
        other = less(today[place], yesterday[place])
        fair = covered(own_other) and covered(other)
        match = together(
            own_other if fair else own, other if fair else today[place], longest, before
        )
        if match is None:
            continue
        since = _since(today[place], window)
        found.append(
            Companion(one.series, one.name, one.tie, match.r, match.lag * window.seconds,
                      match.pairs, since, fair, today[place])
        )  # fmt: skip
    return sorted(found, key=lambda one: (-abs(one.r), one.series))[:SHOWN]


def _since(values: Values, window: Window) -> datetime | None:
    step = departed(values, int(USUAL.total_seconds()) // window.seconds)
    return None if step is None else window.at(step)


def _window(incident: Incident, now: datetime, seconds: int) -> Window:
    """Whole steps, the last of them complete."""
    begin = to_micros(incident.observed_at - BEFORE)
    end = to_micros(min(incident.observed_at + AFTER, now))
    step = seconds * 1_000_000
    return Window(from_micros(begin // step * step), from_micros(end // step * step), seconds)


async def _values(
    connection: AsyncConnection, series: Sequence[Series], window: Window
) -> list[Values]:
    if window.steps == 0:
        return [[] for _ in series]
    rows = await means(connection, series, window.start, window.until, window.seconds)
    return [_in_steps(one, window) for one in rows]


def _in_steps(found: Means, window: Window) -> Values:
    values: list[float | None] = [None] * window.steps
    begin = to_micros(window.start)
    for at_us, mean in found:
        step = (at_us - begin) // (window.seconds * 1_000_000)
        if 0 <= step < len(values):
            values[step] = mean
    return values


async def _own(connection: AsyncConnection, incident: Incident) -> Series | None:
    """The series of the first of its sensors that measures its metric."""
    if incident.metric is None:
        return None
    subjects = list(incident.subjects[:100])
    query = select(sensors.c.sensor_id).where(
        sensors.c.sensor_id.in_(subjects), sensors.c.metrics.contains([incident.metric])
    )
    known = set((await connection.execute(query)).scalars())
    first = next((one for one in subjects if one in known), None)
    return None if first is None else (first, incident.metric)
