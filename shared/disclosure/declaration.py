"""The declaration: which datasets there are, and the level of each of their fields. Pure.

`declaration.yaml` is what the platform ships; a file of the city (`YIWANG_DISCLOSURE_FILE`) of the
same form goes over it: other names of levels, other clearances of roles, other levels of metrics
and fields.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any

from shared.disclosure.coarse import RESOLUTIONS, SINGLE
from shared.disclosure.level import BY_CODE, Level, LevelName
from shared.errors import Misconfigured

WITHHELD = "withheld"
BELOW = (WITHHELD, *SINGLE, *RESOLUTIONS)


@dataclass(frozen=True, slots=True)
class Field:
    """`below`: what is told to whoever is not cleared: nothing (`withheld`), the first letter
    (`mask`), its `hour` or `day`, the middle of its `cell` or `district`. `subject`: of a person
    whom the data is about: told by a grant of its own only. `opaque`: told whole or not at all:
    the names within are data. `frame`: what stands around fields, such as `items`."""

    name: str
    level: Level
    below: str = WITHHELD
    subject: bool = False
    opaque: bool = False
    frame: bool = False


@dataclass(frozen=True)
class Dataset:
    """`fields`: of its answers, exports, live columns and webhooks, however deep in them; a name
    with a dot holds below that parent only. `metric`: fields that hold a metric's code: an object
    is withheld from whoever is not cleared for its metric. `lent`: fields that may be granted to
    others; `doors`: the routes where they are, each confined to what was granted; `of`: datasets
    that come through these doors besides. `asks`: parameters of its routes → the fields that they
    choose by: who may not be told a field may not choose by it either."""

    name: str
    zh: str
    en: str
    fields: Mapping[str, Field]
    metric: frozenset[str] = frozenset()
    lent: frozenset[str] = frozenset()
    doors: frozenset[str] = frozenset()
    of: frozenset[str] = frozenset()
    asks: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @cached_property
    def ceiling(self) -> Level:
        """The highest level of its fields."""
        return max((field.level for field in self.fields.values()), default=Level.PUBLIC)

    @cached_property
    def subjects(self) -> frozenset[str]:
        """Its data-subject fields, with its own name before them."""
        return frozenset(f"{self.name}.{one.name}" for one in self.fields.values() if one.subject)

    def field(self, name: str, parent: str = "") -> Field:
        """Of a name below a parent. What was never declared is told to nobody who is not cleared
        for everything."""
        found = self.fields.get(f"{parent}.{name}") or self.fields.get(name)
        return found or Field(name, Level.CORE)


@dataclass(frozen=True)
class Declaration:
    """Everything that files say. `routes`: `GET /v1/sensors` → the dataset of its answers."""

    names: Mapping[Level, LevelName]
    roles: Mapping[str, Level]
    metrics: Mapping[str, Level]
    datasets: Mapping[str, Dataset]
    routes: Mapping[str, str]

    def metric_level(self, code: str) -> Level:
        """By the longest pattern that fits."""
        fitting = [pattern for pattern in self.metrics if fnmatchcase(code, pattern)]
        return self.metrics[max(fitting, key=len)] if fitting else Level.INTERNAL

    @cached_property
    def highest_metric(self) -> Level:
        """No metric is kept better."""
        return max(self.metrics.values(), default=Level.INTERNAL)

    def role_level(self, role: str) -> Level:
        """What a role (or `key`, `screen`) is cleared for; public where nothing is said."""
        return self.roles.get(role, Level.PUBLIC)

    def of_route(self, method: str, path: str) -> Dataset | None:
        """The dataset of a route's answers; None: it has none."""
        name = self.routes.get(f"{method} {path}")
        return None if name is None else self.datasets[name]


def declared(said: Mapping[str, Any]) -> Declaration:
    """What a whole file says. Raises `Misconfigured`."""
    names = {
        level_of(code, "levels"): LevelName(BY_CODE[code], one["zh"], one["en"])
        for code, one in said["levels"].items()
    }
    around = _words(said, "frame")
    datasets = {name: _dataset(name, one, around) for name, one in said["datasets"].items()}
    routes = {
        route: name for name, one in said["datasets"].items() for route in one.get("routes", ())
    }
    return Declaration(names, _levels(said, "roles"), _levels(said, "metrics"), datasets, routes)


def overlaid(base: Declaration, said: Mapping[str, Any]) -> Declaration:
    """With what a city's file says otherwise: `levels`, `roles`, `metrics`, and `fields`, such as
    `sensors.lon: {level: sensitive, below: district}`. Raises `Misconfigured`."""
    unknown = sorted(said.keys() - {"levels", "roles", "metrics", "fields"})
    if unknown:
        raise Misconfigured(f"disclosure: there is no section {unknown[0]!r}")
    names = dict(base.names)
    for code, one in said.get("levels", {}).items():
        level = level_of(code, "levels")
        names[level] = replace(names[level], **one)
    datasets = dict(base.datasets)
    for path, one in said.get("fields", {}).items():
        name, _, field = path.partition(".")
        if name not in datasets or field not in datasets[name].fields:
            raise Misconfigured(f"disclosure: there is no field {path!r}")
        datasets[name] = _with_field(datasets[name], field, one)
    return replace(
        base,
        names=names,
        roles={**base.roles, **_levels(said, "roles")},
        metrics={**base.metrics, **_levels(said, "metrics")},
        datasets=datasets,
    )


def level_of(code: Any, where: str) -> Level:
    """Raises `Misconfigured`."""
    if code not in BY_CODE:
        raise Misconfigured(f"disclosure: {where}: {code!r} is none of {', '.join(BY_CODE)}")
    return BY_CODE[code]


def _levels(said: Mapping[str, Any], section: str) -> dict[str, Level]:
    return {name: level_of(code, section) for name, code in said.get(section, {}).items()}


def _dataset(name: str, said: Mapping[str, Any], around: Sequence[str]) -> Dataset:
    below = said.get("below", {})
    subjects, opaque = _words(said, "subject"), _words(said, "opaque")
    fields = {
        field: Field(field, level, _below(below.get(field, WITHHELD)), field in subjects,
                     field in opaque)
        for code, level in BY_CODE.items()
        for field in _words(said, code)
    }  # fmt: skip
    fields |= {
        field: Field(field, Level.PUBLIC, opaque=field in opaque, frame=True)
        for field in (*around, *_words(said, "frame"))
    }
    metric = frozenset(_words(said, "metric"))
    lent = frozenset(_words(said, "lent"))
    asks = {name: frozenset(_words(said["asks"], name)) for name in said.get("asks", {})}
    named = {*below, *subjects, *opaque}.union(metric, lent, *asks.values())
    stray = sorted(named - fields.keys())
    if stray:
        raise Misconfigured(f"disclosure: {name}.{stray[0]} has no level")
    doors, of = frozenset(said.get("doors", ())), frozenset(_words(said, "of"))
    return Dataset(name, said["zh"], said["en"], fields, metric, lent, doors, of, asks)


def _words(said: Mapping[str, Any], section: str) -> list[str]:
    return str(said.get(section, "")).split()


def _below(what: str) -> str:
    if what not in BELOW:
        raise Misconfigured(f"disclosure: {what!r} is none of {', '.join(BELOW)}")
    return what


def _with_field(dataset: Dataset, name: str, said: Mapping[str, Any]) -> Dataset:
    known = dataset.fields[name]
    level = level_of(said.get("level", known.level.code), f"{dataset.name}.{name}")
    changed = replace(known, level=level, below=_below(said.get("below", known.below)))
    return replace(dataset, fields={**dataset.fields, name: changed})
