"""Which alerts something is about: fields and the values that they may have. Pure but for the
condition that it is in SQL."""

from fnmatch import fnmatchcase
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy import ColumnElement, and_, or_

from services.alerts.incidents.alert import Alert
from services.alerts.incidents.grouping import ALONE
from services.alerts.incidents.loading import like
from shared.store.tables import alerts

PRINTABLE = r"^[^\x00\[\]]+$"  # no NUL, which PostgreSQL refuses, and no sets of characters
Patterns = Annotated[
    tuple[Annotated[str, Field(min_length=1, max_length=128, pattern=PRINTABLE)], ...],
    Field(max_length=100),
]
Priorities = Annotated[
    tuple[Annotated[int, Field(ge=1, le=4, strict=True)], ...], Field(max_length=4)
]
TOO_BROAD = (
    "an alert of priority 1 is silenced by the name of its rule and its subject only: give "
    "exactly these, without '*' or '?'"
)


class Matchers(BaseModel):
    """An alert fits when each field that is given has one of its values. `*` and `?` stand for any
    characters or one. `area`: the district; `subject`: a sensor, or what a rule over several is
    about."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rule: Patterns = ()
    metric: Patterns = ()
    area: Patterns = ()
    subject: Patterns = ()
    cause: Patterns = ()
    priority: Priorities = ()

    @model_validator(mode="after")
    def _something(self) -> "Matchers":
        if not any((self.rule, self.metric, self.area, self.subject, self.cause, self.priority)):
            raise ValueError("at least one field must be given: nothing silences everything")
        return self

    @property
    def by_name(self) -> bool:
        """Whether rule and subject are named, not described."""
        exact = [value for value in (*self.rule, *self.subject) if not set("*?") & set(value)]
        return bool(self.rule and self.subject) and len(exact) == len(self.rule + self.subject)

    def fit(self, alert: Alert) -> bool:
        """Whether an alert is meant."""
        return (
            _fits(self.rule, alert.rule_id)
            and _fits(self.metric, alert.metric)
            and _fits(self.area, alert.area_id)
            and _fits(self.subject, alert.subject)
            and _fits(self.cause, alert.cause)
            and (not self.priority or alert.priority in self.priority)
        )

    def may_hide(self, alert: Alert) -> bool:
        """Whether it is meant, and may be: what is of priority 1 only by name."""
        return (alert.priority != ALONE or self.by_name) and self.fit(alert)

    def condition(self) -> ColumnElement[bool]:
        """`fit` over `alerts.alerts`."""
        columns = {
            alerts.c.rule_id: self.rule, alerts.c.metric: self.metric,
            alerts.c.area_id: self.area, alerts.c.subject: self.subject,
            alerts.c.cause: self.cause,
        }  # fmt: skip
        found = [
            or_(*(column.like(like(value), escape="\\") for value in values))
            for column, values in columns.items()
            if values
        ]
        if self.priority:
            found.append(alerts.c.priority.in_(self.priority))
        return and_(*found)


def _fits(patterns: tuple[str, ...], value: str | None) -> bool:
    if not patterns:
        return True
    return value is not None and any(fnmatchcase(value, pattern) for pattern in patterns)
