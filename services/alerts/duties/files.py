"""The folder of duties: `deadlines.yaml`, `categories.yaml`, `departments.yaml`.

What is wrong in it stops the start: without it nobody would know who is to do what until when.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import time, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator

from services.alerts.duties.calendar import Hours
from services.alerts.duties.deadlines import DutyStep, Terms
from services.alerts.duties.departments import Category, Department
from shared.errors import Misconfigured

YEAR_MINUTES = 525_600

Minutes = Annotated[int, Field(gt=0, le=YEAR_MINUTES, strict=True)]
Level = Annotated[int, Field(ge=1, le=4, strict=True)]
Code = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")]
Words = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]*$")]


class Entry(BaseModel):
    """Nothing unknown, nothing changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Name(Entry):
    """In both languages."""

    zh: Words
    en: Words


class TermsEntry(Entry):
    """Minutes of one grade."""

    counted: Literal["clock", "working"]
    acknowledge: Minutes
    dispatch: Minutes
    handle: Minutes
    verify: Minutes
    case: Minutes

    def terms(self) -> Terms:
        """As durations."""
        steps = {step: timedelta(minutes=getattr(self, step)) for step in DutyStep}
        return Terms(self.counted, steps, timedelta(minutes=self.case))


class DeadlinesEntry(Entry):
    """`deadlines.yaml`. `hours`: of a workday, in order."""

    zone: str
    hours: Annotated[list[tuple[time, time]], Field(min_length=1, max_length=8)]
    grades: dict[Level, TermsEntry]

    @field_validator("zone")
    @classmethod
    def _known(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"'{value}' is no time zone") from None
        return value

    @field_validator("hours")
    @classmethod
    def _in_order(cls, value: list[Hours]) -> list[Hours]:
        moments = [moment for span in value for moment in span]
        if any(moment.tzinfo for moment in moments) or any(
            later <= earlier for earlier, later in pairwise(moments)
        ):
            raise ValueError("the hours of a day are local times, one after the other")
        return value

    @field_validator("grades")
    @classmethod
    def _complete(cls, value: dict[int, TermsEntry]) -> dict[int, TermsEntry]:
        if sorted(value) != [1, 2, 3, 4]:
            raise ValueError("each of the grades 1, 2, 3 and 4 needs its terms")
        return value


class CategoryEntry(Entry):
    """`categories.yaml`: code → this."""

    kind: Literal["component", "event"]
    name: Name
    grade: Level = 4
    priority: Level = 3
    domain: Code | None = None


class DepartmentEntry(Entry):
    """`departments.yaml`: a list of these; also the body of `PUT /v1/departments/{name}`."""

    name: Name
    categories: Annotated[list[Code], Field(max_length=200)] = []
    areas: Annotated[list[Words], Field(max_length=1_000)] = []
    parent: Words | None = None

    def department(self) -> Department:
        """As it is looked up."""
        return Department(
            self.name.zh,
            self.name.en,
            frozenset(self.categories),
            frozenset(self.areas),
            self.parent,
        )


@dataclass(frozen=True)
class Book:
    """All that the folder says. `departments`: of the first start only."""

    hours: Sequence[Hours]
    zone: ZoneInfo
    terms: Mapping[int, Terms]
    categories: Mapping[str, Category]
    departments: Sequence[Department]


def load(folder: Path) -> Book:
    """Raises `Misconfigured` with the file and what is wrong in it."""
    said = _read(folder / "deadlines.yaml", TypeAdapter(DeadlinesEntry))
    categories = _read(folder / "categories.yaml", TypeAdapter(dict[Code, CategoryEntry]))
    departments = _read(folder / "departments.yaml", TypeAdapter(list[DepartmentEntry]))
    return Book(
        said.hours,
        ZoneInfo(said.zone),
        {grade: terms.terms() for grade, terms in said.grades.items()},
        {
            code: Category(
                code,
                entry.kind,
                entry.name.zh,
                entry.name.en,
                entry.grade,
                entry.priority,
                entry.domain,
            )
            for code, entry in categories.items()
        },
        [entry.department() for entry in departments],
    )


def _read(path: Path, form: TypeAdapter[Any]) -> Any:
    try:
        return form.validate_python(yaml.safe_load(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise Misconfigured(f"{path}: {place}: {first['msg']}") from error
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise Misconfigured(f"{path}: {error}") from error
