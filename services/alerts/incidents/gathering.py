"""From alerts to incidents: loads what transitions concern, lets the casebook decide, writes."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from services.alerts.incidents import alert as alerts_of
from services.alerts.incidents import ledger, loading
from services.alerts.incidents.case import Loud, Quiet
from services.alerts.incidents.casebook import Casebook
from services.alerts.incidents.dependencies import related
from services.alerts.incidents.flood import Floodgate
from services.alerts.incidents.timing import Rota
from services.alerts.judging.transition import Key, Place, Transition
from shared.clock import Clock, from_micros

AT_ONCE = 1_000  # transitions: PostgreSQL takes 65,535 parameters per statement


class Silencing(Protocol):
    """Who knows what is to be kept quiet."""

    async def quiet(self, connection: AsyncConnection, now: datetime) -> Quiet:
        """As it is now."""
        ...

    async def settle(self, connection: AsyncConnection, book: Casebook) -> None:
        """Let alerts that were not in `book` begin or cease to be quiet because of those in it."""
        ...


class Gathering:
    """`engine.repository.Gathering`. `operators`: how many are on duty."""

    def __init__(
        self,
        clock: Clock,
        silencing: Silencing | None = None,
        operators: int = 1,
        rota: Rota | None = None,
    ) -> None:
        self._clock = clock
        self._rota = rota
        self._silencing = silencing
        self._operators = operators

    async def take(
        self,
        connection: AsyncConnection,
        transitions: Sequence[Transition],
        places: Mapping[str, Place],
    ) -> dict[Key, str]:
        """Into incidents, in the caller's transaction; the incident of each raised subject."""
        raised: dict[Key, str] = {}
        if transitions:
            await ledger.one_at_a_time(connection)
        for start in range(0, len(transitions), AT_ONCE):
            raised |= await self._take(connection, transitions[start : start + AT_ONCE], places)
        return raised

    async def _take(
        self,
        connection: AsyncConnection,
        transitions: Sequence[Transition],
        places: Mapping[str, Place],
    ) -> dict[Key, str]:
        now = self._clock()
        quiet = await self._silencing.quiet(connection, now) if self._silencing else Loud()
        timing = await self._rota.current(connection) if self._rota else None
        book = Casebook(now, quiet, timing)
        edges = await loading.load_edges(connection)
        await loading.load(connection, book, transitions, places)
        await loading.load_related(connection, book, edges, transitions)
        gate = await self._gate(connection, book, transitions)
        raised: dict[Key, str] = {}
        for transition in transitions:
            alert = book.take(transition, places[transition.subject])
            known = alert or book.find(alerts_of.alert_id(transition))
            if known is not None and transition.kind in ("raised", "changed"):
                raised[transition.key] = str(known.incident_id)
            if alert is not None:
                related(book, edges, alert)
                gate.heard(book, book.cases[alert.incident_id])
        gate.passed(book)
        if self._silencing is not None:
            await self._silencing.settle(connection, book)
        await ledger.record_book(connection, book)
        return raised

    async def _gate(
        self, connection: AsyncConnection, book: Casebook, transitions: Sequence[Transition]
    ) -> Floodgate:
        live = [one for one in transitions if not one.historical]
        if not live:
            return Floodgate({}, None, self._operators)
        earliest = from_micros(min(one.observed_us for one in live))
        coming = sum(one.kind in ("raised", "changed") for one in live)
        gate = await loading.load_flood(connection, book, earliest, coming, self._operators)
        gate.reach(from_micros(max(one.observed_us for one in live)))
        return gate
