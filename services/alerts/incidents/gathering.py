"""From alerts to incidents: which one an alert opens, joins or clears."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from services.alerts.incidents import ledger
from services.alerts.incidents import steps as made
from services.alerts.judging.transition import Key, Place, Transition
from shared.clock import Clock
from shared.contracts.incident import AlertState


class Gathering:
    """`engine.repository.Gathering`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def take(
        self,
        connection: AsyncConnection,
        transitions: Sequence[Transition],
        places: Mapping[str, Place],
    ) -> dict[Key, str]:
        """Into incidents, in the caller's transaction; the incident of each raised subject."""
        raised: dict[Key, str] = {}
        for transition in transitions:
            if transition.kind == "raised":
                place = places[transition.subject]
                await self._raise(connection, transition, place, raised)
            elif transition.kind == "cleared":
                await self._clear(connection, transition, raised)
        return raised

    async def _raise(
        self,
        connection: AsyncConnection,
        transition: Transition,
        place: Place,
        raised: dict[Key, str],
    ) -> None:
        key = transition.key
        new = made.opened(transition, place, self._clock())
        known = await ledger.find(connection, new.id)
        if known is None:
            known = await ledger.find_open(connection, *key, transition.historical)
            if known is None:
                await ledger.record(connection, made.event(new, "incident.opened"))
            else:
                again = made.refired(known, transition, self._clock())
                await ledger.record(connection, made.event(again, "incident.refired"))
        # Else the same start was judged before, from another copy of the log: it is recorded.
        raised[key] = str(new.id if known is None else known.id)

    async def _clear(
        self, connection: AsyncConnection, transition: Transition, raised: dict[Key, str]
    ) -> None:
        key = transition.key
        incident = raised.pop(key, None) or transition.incident
        found = await ledger.find(connection, UUID(incident)) if incident else None
        if found is not None and found.alert_state is AlertState.ACTIVE:
            cleared = made.cleared(found, self._clock())
            await ledger.record(connection, made.event(cleared, "incident.cleared"))
