"""How traffic runs, from an hour's mean speed against the learned free flow. Pure.

Classes: the levels of service of urban streets, by speed as a share of the free-flow speed
(Highway Capacity Manual 2010, exhibit 17-2): A above 85 %, B above 67, C above 50, D above 40,
E above 30. Travel time index: free flow / speed, never below 1; of an area its mean weighted by
flow, so that a road with twice the vehicles counts twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Service = Literal["A", "B", "C", "D", "E", "F"]

SERVICES: Sequence[Service] = ("A", "B", "C", "D", "E", "F")
ABOVE = (0.85, 0.67, 0.50, 0.40, 0.30)
CONGESTED: Sequence[Service] = ("D", "E", "F")
LEAST_SPEED = 1.0  # km/h: a road that stands has a travel time index all the same
LEAST_HOURS = 24  # of which a free flow is learned


@dataclass(frozen=True, slots=True)
class Passage:
    """One sensor's hour: mean speed, free flow (both km/h) and flow (vehicles/h), if known."""

    sensor_id: str
    speed: float
    free: float
    flow: float | None = None

    @property
    def time_index(self) -> float:
        """How many times as long as in free flow a way takes."""
        return max(1.0, self.free / max(LEAST_SPEED, self.speed))

    @property
    def service(self) -> Service:
        """The class."""
        return service_of(1 / self.time_index)


@dataclass(frozen=True, slots=True)
class Flowing:
    """An area's hour. `sensors`: of each class, A to F."""

    time_index: float
    service: Service
    sensors: Sequence[int]

    @property
    def congested(self) -> float:
        """Share of the sensors that are of class D or worse."""
        return sum(self.sensors[-len(CONGESTED) :]) / sum(self.sensors)


def service_of(share: float) -> Service:
    """The class of a speed, as a share of the free flow."""
    return next((name for name, above in zip(SERVICES, ABOVE, strict=False) if share > above), "F")


def flowing(passages: Sequence[Passage]) -> Flowing | None:
    """An area by its sensors; None without any. One without a flow has that of a middling one."""
    if not passages:
        return None
    flows = [passage.flow for passage in passages if passage.flow is not None]
    usual = sum(flows) / len(flows) if any(flows) else None
    weights = [1.0 if usual is None else usual if one.flow is None else one.flow
               for one in passages]  # fmt: skip
    pairs = zip(weights, passages, strict=True)
    index = sum(weight * one.time_index for weight, one in pairs) / sum(weights)
    services = [one.service for one in passages]
    return Flowing(index, service_of(1 / index), [services.count(name) for name in SERVICES])
