"""Tells what a clearance allows of an answer, a row, a batch of columns. Pure.

Whoever is cleared for all of a dataset gets what was there, untouched.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.disclosure import coarse
from shared.disclosure.clearance import Clearance
from shared.disclosure.coarse import RESOLUTIONS, SINGLE
from shared.disclosure.declaration import WITHHELD, Dataset, Declaration, Field
from shared.disclosure.level import Level


class _Gone:
    """An object of which nothing may be told."""


_GONE = _Gone()
AS_IT_IS = "as it is"
_PAIR = ("lon", "lat")


def cleared(declaration: Declaration, dataset: Dataset, clearance: Clearance) -> bool:
    """Whether everything of a dataset may be told as it is."""
    return (
        clearance.fields is None
        and dataset.ceiling <= clearance.level
        and dataset.subjects <= clearance.subjects
        and (not dataset.metric or declaration.highest_metric <= clearance.level)
    )


def treatment(dataset: Dataset, field: Field, clearance: Clearance) -> str:
    """What becomes of a field: `AS_IT_IS`, or one of `declaration.BELOW`."""
    path = f"{dataset.name}.{field.name}"
    if field.frame:
        return AS_IT_IS
    level = clearance.level
    if clearance.datasets is not None and dataset.name not in clearance.datasets:
        level = Level.PUBLIC
    if field.subject:
        told = path in clearance.subjects
        return AS_IT_IS if told and _within(path, clearance) else WITHHELD
    if not _within(path, clearance):
        return WITHHELD
    return AS_IT_IS if field.level <= level else field.below


def untold(dataset: Dataset, parameter: str, clearance: Clearance) -> str | None:
    """The field that an answer chosen by this parameter would tell though it must not; or None."""
    fields = sorted(dataset.asks.get(parameter, ()))
    kept = (name for name in fields
            if treatment(dataset, dataset.field(name), clearance) != AS_IT_IS)  # fmt: skip
    return next(kept, None)


def discloses_metric(declaration: Declaration, code: str, clearance: Clearance) -> bool:
    """Whether anything that carries this metric may be told."""
    if clearance.metrics and code not in clearance.metrics:
        return False
    return declaration.metric_level(code) <= clearance.level


def disclosed(declaration: Declaration, dataset: Dataset, value: Any, clearance: Clearance) -> Any:
    """A row, or any JSON answer of a dataset: what must not be told is not there, what is told
    coarsely is coarse. None: nothing of it may be told."""
    if cleared(declaration, dataset, clearance):
        return value
    found = _Walk(declaration, dataset, clearance).told(value, "")
    return None if isinstance(found, _Gone) else found


@dataclass(frozen=True)
class _Walk:
    declaration: Declaration
    dataset: Dataset
    clearance: Clearance

    def told(self, value: Any, parent: str) -> Any:
        match value:
            case Mapping():
                return self._object(value, parent)
            case list() | tuple():
                items = [self.told(one, parent) for one in value]
                return [one for one in items if not isinstance(one, _Gone)]
        return value

    def _object(self, value: Mapping[str, Any], parent: str) -> Any:
        if not all(self._metric_told(value.get(name)) for name in self.dataset.metric):
            return _GONE
        made: dict[str, Any] = {}
        places: dict[str, str] = {}
        for name, one in value.items():
            field = self.dataset.field(name, parent)
            what = treatment(self.dataset, field, self.clearance)
            if what in RESOLUTIONS:
                places[name] = what
                made[name] = one
            elif what == AS_IT_IS:
                found = one if field.opaque else self.told(one, name)
                if not isinstance(found, _Gone):
                    made[name] = found
            elif what != WITHHELD:
                made[name] = None if one is None else SINGLE[what](one)
        made = _coarsened(made, places) if places else made
        return made if made or not value else _GONE

    def _metric_told(self, code: Any) -> bool:
        return not isinstance(code, str) or discloses_metric(self.declaration, code, self.clearance)


@dataclass(frozen=True)
class Columns:
    """What becomes of the columns of a table: `kept` ones in their order, each with what is done
    to it. `open`: nothing at all."""

    kept: tuple[str, ...]
    treatments: Mapping[str, str]
    open: bool

    def batch(self, columns: Mapping[str, Sequence[Any]]) -> dict[str, Sequence[Any]]:
        """Columns of equal length, by name → those that are told."""
        if self.open:
            return dict(columns)
        return {name: self._column(name, columns) for name in self.kept}

    def row(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """One row."""
        made = self.batch({name: (row[name],) for name in row})
        return {name: values[0] for name, values in made.items()}

    def _column(self, name: str, columns: Mapping[str, Sequence[Any]]) -> Sequence[Any]:
        what, values = self.treatments[name], columns[name]
        if what == AS_IT_IS:
            return values
        if what in SINGLE:
            return [None if one is None else SINGLE[what](one) for one in values]
        pairs = zip(columns["lon"], columns["lat"], strict=True)
        at = _PAIR.index(name)
        return [None if None in pair else coarse.place(*pair, what)[at] for pair in pairs]


def columns(
    declaration: Declaration, dataset: Dataset, names: Sequence[str], clearance: Clearance
) -> Columns:
    """The plan for a table with these columns; rows of metrics that must not be told are for the
    query to leave out (`discloses_metric`). A place is coarsened only if both its columns are
    there."""
    if cleared(declaration, dataset, clearance):
        return Columns(tuple(names), {}, open=True)
    paired = all(name in names for name in _PAIR)
    found = {name: treatment(dataset, dataset.field(name), clearance) for name in names}
    kept = {
        name: what
        for name, what in found.items()
        if what != WITHHELD and (what not in RESOLUTIONS or (paired and name in _PAIR))
    }
    untouched = all(kept.get(name) == AS_IT_IS for name in names)
    return Columns(tuple(kept), kept, open=untouched)


def _within(path: str, clearance: Clearance) -> bool:
    """A grant adds nothing to what is public, and takes nothing of it away, where it is not about
    the dataset."""
    fields, datasets = clearance.fields, clearance.datasets
    return fields is None or path in fields or path.partition(".")[0] not in (datasets or ())


def _coarsened(made: dict[str, Any], places: Mapping[str, str]) -> dict[str, Any]:
    """With the places in it coarse: of `lon` and `lat` side by side, and of GeoJSON's points."""
    lon, lat = made.get("lon"), made.get("lat")
    paired = all(name in places for name in _PAIR)
    for name, grid in places.items():
        value = made.pop(name)
        if name in _PAIR:
            if paired and lon is not None and lat is not None:
                made[name] = coarse.place(lon, lat, grid)[_PAIR.index(name)]
        elif isinstance(value, Sequence) and len(value) == 2 and _are_numbers(value):
            made[name] = list(coarse.place(*value, grid))
    return made


def _are_numbers(value: Sequence[Any]) -> bool:
    return all(isinstance(one, int | float) for one in value)
