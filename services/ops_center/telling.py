"""What of the live picture is told to those who are not cleared for all of it. Pure.

Screens of one clearance share their frames as those of one filter do; whoever is cleared for
everything has none of this on his way.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from shared.contracts.live import SensorColumns, SeriesColumns
from shared.disclosure.clearance import Clearance
from shared.disclosure.declaration import Declaration
from shared.disclosure.disclose import cleared, columns, disclosed, discloses_metric

DATASETS = ("sensors", "readings", "incidents")  # what the picture is made of

_SENSOR = {"id": "sensor_id", "name": "name", "lon": "lon", "lat": "lat", "area_id": "area_id"}
_STATE = {name: name for name in ("value", "observed_at", "state")}
# What stands for a value that is withheld: null, but where every reader needs a text.
_EMPTY: Mapping[str, Any] = {"id": "", "name": "", "state": "never"}


class Told(msgspec.Struct, frozen=True):
    """Names a clearance, in one form however it came about. None: not confined."""

    level: int
    fields: list[str] | None = None


@dataclass(frozen=True)
class Telling:
    """A clearance's sight of the picture. Of one that withholds metrics, their series are not
    there at all."""

    told: Told
    _clearance: Clearance = field(compare=False)
    _declaration: Declaration = field(compare=False)

    def tells_metric(self, code: str) -> bool:
        """Whether series and incidents of this metric may be told."""
        return discloses_metric(self._declaration, code, self._clearance)

    @property
    def tells_incidents(self) -> bool:
        """Whether anything of incidents may be told."""
        datasets = self._clearance.datasets
        return datasets is None or "incidents" in datasets

    def sensors(self, shown: SensorColumns) -> SensorColumns:
        """The sensors' columns."""
        values = {name: getattr(shown, name) for name in _SENSOR}
        return msgspec.structs.replace(shown, **self._batch("sensors", _SENSOR, values))

    def series(self, shown: SeriesColumns) -> SeriesColumns:
        """The series' columns. Which metric a series has is told with it, or it is not there."""
        return msgspec.structs.replace(
            shown, **self.state(shown.value, shown.observed_at, shown.state)
        )

    def state(
        self, value: Sequence[Any], observed_at: Sequence[Any], state: Sequence[Any]
    ) -> dict[str, Sequence[Any]]:
        """The columns of series that change."""
        values = {"value": value, "observed_at": observed_at, "state": state}
        return self._batch("readings", _STATE, values)

    def incident(self, raw: bytes | str) -> bytes:
        """An incident, or a step of one, as JSON."""
        dataset = self._declaration.datasets["incidents"]
        value = msgspec.json.decode(raw)
        told = disclosed(self._declaration, dataset, value, self._clearance)
        return msgspec.json.encode({} if told is None else told)

    def _batch(
        self, dataset: str, names: Mapping[str, str], values: Mapping[str, Sequence[Any]]
    ) -> dict[str, Sequence[Any]]:
        """By the names of the dataset's fields; what is withheld is empty."""
        found = self._declaration.datasets[dataset]
        plan = columns(self._declaration, found, list(names.values()), self._clearance)
        told = plan.batch({names[name]: column for name, column in values.items()})
        return {
            name: told.get(names[name], [_EMPTY.get(name)] * len(column))
            for name, column in values.items()
        }


def telling_of(declaration: Declaration, clearance: Clearance) -> Telling | None:
    """None: everything may be told as it is."""
    if all(cleared(declaration, declaration.datasets[one], clearance) for one in DATASETS):
        return None
    fields = None if clearance.fields is None else sorted(clearance.fields)
    return Telling(Told(int(clearance.level), fields), clearance, declaration)
