"""Inhibitions: while one alert stands, others that follow from it are not worth a word. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.alerts.incidents.alert import Alert
from services.alerts.incidents.grouping import ALONE
from services.alerts.silencing.matchers import Matchers

Equal = Literal["area", "subject", "cause", "metric"]
_FIELDS = {"area": "area_id", "subject": "subject", "cause": "cause", "metric": "metric"}


class Inhibition(BaseModel):
    """While an alert that fits `source` stands, those that fit `target` and agree with it in every
    field of `equal` are quiet."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
    source: Matchers
    target: Matchers
    equal: tuple[Equal, ...] = ()

    def inhibits(self, source: Alert, target: Alert) -> bool:
        """An alert never inhibits itself, nor do two that fit both sides inhibit each other; what
        is of priority 1 is never inhibited."""
        if target.priority == ALONE or source.alert_id == target.alert_id:
            return False
        if not (self.source.fit(source) and self.target.fit(target)):
            return False
        if self.source.fit(target) and self.target.fit(source):
            return False
        return all(_value(source, name) == _value(target, name) is not None for name in self.equal)


@dataclass(frozen=True)
class InhibitionError:
    """An inhibition that was refused, and why."""

    file: str
    detail: str


def load(folder: Path) -> tuple[list[Inhibition], list[InhibitionError]]:
    """Every inhibition of `*.yaml` in a folder that may be missing; a wrong one stops no other."""
    found: dict[str, Inhibition] = {}
    errors: list[InhibitionError] = []
    for path in sorted(folder.glob("*.yaml")):
        for entry in _entries(path, errors):
            try:
                one = Inhibition.model_validate(entry)
            except ValidationError as error:
                first = error.errors()[0]
                place = ".".join(str(part) for part in first["loc"])
                errors.append(InhibitionError(path.name, f"{place}: {first['msg']}"))
                continue
            if found.setdefault(one.id, one) is not one:
                errors.append(InhibitionError(path.name, f"{one.id}: the id is used twice"))
    return list(found.values()), errors


def _entries(path: Path, errors: list[InhibitionError]) -> Iterable[object]:
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValueError, RecursionError) as error:
        errors.append(InhibitionError(path.name, f"not readable: {error}"))
        return []
    if isinstance(document, list):
        return document
    if document is not None:
        errors.append(InhibitionError(path.name, "a file of inhibitions holds a list"))
    return []


def _value(alert: Alert, name: Equal) -> str | None:
    found: str | None = getattr(alert, _FIELDS[name])
    return found
