"""What incidents ask of duties: who takes a new one, and what is due when."""

from collections.abc import Sequence
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.contracts.incident import Incident


class Timing(Protocol):
    """Departments and deadlines at one moment. Pure."""

    def opened(self, incident: Incident, own_seconds: int | None, areas: Sequence[str]) -> Incident:
        """An incident that opens, with who takes it and until when. `own_seconds`: the rule's own
        deadline; `areas`: all that it lies in, the nearest first."""
        ...

    def moved(self, before: Incident, after: Incident) -> Incident:
        """`after` with what is due now."""
        ...


class Untimed:
    """`Timing` where nothing is ever due."""

    def opened(self, incident: Incident, _: int | None, __: Sequence[str]) -> Incident:
        """As it is."""
        return incident

    def moved(self, _: Incident, after: Incident) -> Incident:
        """As it is."""
        return after


class Rota(Protocol):
    """Who knows departments and deadlines."""

    async def current(self, connection: AsyncConnection) -> Timing:
        """As they are now."""
        ...
