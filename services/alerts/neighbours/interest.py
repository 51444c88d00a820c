"""Which of our public warnings a neighbouring city is told of. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID, uuid5

from pydantic import BaseModel, ConfigDict, Field

from services.alerts.cap.message import COLOURS, Kind
from services.alerts.delivery.discretion import WARNING
from shared.contracts.incident import INCIDENT_NAMESPACE, WarningColour

Code = Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z0-9_.:-]+$")]


class Interest(BaseModel):
    """What concerns a neighbour: warnings at least as grave as `least`, of `categories` of
    incidents, in `areas` with all that lies in them. An empty list: any."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    least: WarningColour = "blue"
    categories: Annotated[list[Code], Field(max_length=100)] = []
    areas: Annotated[list[Code], Field(max_length=100)] = []


@dataclass(frozen=True)
class Published:
    """The newest public warning of an incident. `area_ids`: where, with all that it lies in."""

    identifier: str
    kind: Kind
    colour: WarningColour
    category: str | None
    area_ids: Collection[str]

    @property
    def event_id(self) -> UUID:
        """What its deliveries tell of."""
        return uuid5(INCIDENT_NAMESPACE, self.identifier)

    @property
    def type(self) -> str:
        """Of its deliveries."""
        return f"{WARNING}{self.kind.lower()}"


@dataclass(frozen=True)
class Told:
    """What a neighbour was sent last of an incident."""

    event_id: UUID
    type: str


def concerns(interest: Interest, warning: Published) -> bool:
    """Whether a neighbour wants to hear of it."""
    grave = COLOURS.index(warning.colour) <= COLOURS.index(interest.least)
    kind = not interest.categories or warning.category in interest.categories
    place = not interest.areas or not set(interest.areas).isdisjoint(warning.area_ids)
    return grave and kind and place


def is_due(warning: Published, interest: Interest | None, told: Told | None) -> bool:
    """Whether a neighbour has to be sent it now. Whoever was told of a danger hears what becomes
    of it until it is lifted, even if that does not concern him any more."""
    if told is not None and told.event_id == warning.event_id:
        return False
    waits = told is not None and told.type != f"{WARNING}cancel"
    if waits or warning.kind == "Cancel":
        return waits
    return interest is not None and concerns(interest, warning)
