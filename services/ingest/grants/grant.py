"""A grant: as it is asked for, decided and shown. Pure."""

from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from shared.disclosure.declaration import Declaration
from shared.disclosure.level import BY_CODE, LevelCode

LONGEST = timedelta(days=731)
State = Literal["requested", "refused", "active", "expired", "revoked"]

Line = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f]{1,200}$", strip_whitespace=True)]
Words = Annotated[
    str,
    StringConstraints(pattern=r"^[^\x00]*$", min_length=1, max_length=2_000, strip_whitespace=True),
]
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:\-]{1,64}$")]
Ids = Annotated[list[Id], Field(max_length=500)]
FieldName = Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,32}\.[a-z_0-9]{1,64}$")]


class GrantIn(BaseModel):
    """What is asked for, whom it is for and why.

    `kind` `key`: an API key that reads `fields` such as `readings.value` (`GET /v1/disclosure`
    names them), those above `level` coarsely or not at all; `areas` (with all below them) and
    `metrics` confine it, empty lists do not; `since` and `until`: of what was observed.
    `kind` `person`: data-subject fields such as `reports.phone`, for whoever asks.
    `rows_per_second`: 0 for as many as come. `ends_at`: within two years.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "kind": "key",
                    "recipient": "肇庆市水利局",
                    "purpose": "西江洪水预报",
                    "fields": ["readings.sensor_id", "readings.metric", "readings.observed_at",
                               "readings.value"],
                    "level": "internal",
                    "areas": ["441202"],
                    "metrics": ["water.level"],
                    "rows_per_second": 5000,
                    "ends_at": "2027-12-31T16:00:00Z",
                }
            ]
        },
    )  # fmt: skip

    kind: Literal["key", "person"] = "key"
    recipient: Line
    purpose: Words
    fields: Annotated[list[FieldName], Field(min_length=1, max_length=200)]
    level: LevelCode = "internal"
    areas: Ids = []
    metrics: Ids = []
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    rows_per_second: Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)] = 0
    ends_at: AwareDatetime

    def wrong(self, declaration: Declaration, now: datetime) -> list[tuple[str, str, str]]:
        """(JSON pointer, detail, code) of whatever cannot be granted."""
        grantable = self._grantable(declaration)
        found = [
            (f"/fields/{place}", f"{name} cannot be granted to a {self.kind}", "not_grantable")
            for place, name in enumerate(self.fields)
            if name not in grantable
        ]
        found += [
            (f"/metrics/{place}", f"{code} is above the level {self.level}", "above_level")
            for place, code in enumerate(self.metrics)
            if declaration.metric_level(code) > BY_CODE[self.level]
        ]
        if not now < self.ends_at <= now + LONGEST:
            detail = f"lies in the future, by {LONGEST.days} days at most"
            found.append(("/ends_at", detail, "invalid_value"))
        if self.since is not None and self.until is not None and self.since >= self.until:
            found.append(("/until", "is later than since", "invalid_value"))
        if self.kind == "person" and (self.areas or self.metrics or self.since or self.until):
            found.append(("/kind", "a person's grant is confined by its fields only", "conflict"))
        return found

    def _grantable(self, declaration: Declaration) -> frozenset[str]:
        datasets = declaration.datasets.values()
        if self.kind == "person":
            return frozenset(field for one in datasets for field in one.subjects)
        return frozenset(f"{one.name}.{field}" for one in datasets for field in one.lent)


class Decision(BaseModel):
    """`fields`: of those that were asked for, all unless said otherwise; `ends_at`: no later than
    what was asked for. The reason is shown to everybody."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"examples": [{"approve": True, "reason": "防汛需要,已会签"}]},
    )

    approve: bool
    reason: Words
    fields: Annotated[list[FieldName], Field(min_length=1, max_length=200)] | None = None
    ends_at: AwareDatetime | None = None


class Ending(BaseModel):
    """Why a grant is revoked, or a request withdrawn."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reason: Words


class Grant(BaseModel):
    """A grant as everybody who works with the platform sees it. `prefix`: how its key begins."""

    grant_id: str
    state: State
    kind: str
    recipient: str
    purpose: str
    fields: list[str]
    level: str
    areas: list[str]
    metrics: list[str]
    since: datetime | None
    until: datetime | None
    rows_per_second: float
    ends_at: datetime
    requested_by: str
    requested_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    reason: str | None
    revoked_by: str | None
    revoked_at: datetime | None
    revoked_because: str | None
    key_id: str | None


class GrantList(BaseModel):
    """A page of grants, the newest first."""

    items: list[Grant]
    next: str | None


class GrantKey(BaseModel):
    """A grant's key with its token, which is shown this once and kept nowhere."""

    grant_id: str
    key_id: str
    token: str
    ends_at: datetime


class Used(BaseModel):
    """What a grant was used for in an hour: requests, and rows of readings."""

    hour: datetime
    dataset: str
    requests: int
    rows: int


class Usage(BaseModel):
    """The hours of the last days in which a grant was used, oldest first."""

    items: list[Used]
    requests: int
    rows: int
    next: None = None
