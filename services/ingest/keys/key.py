"""An API key: as an administrator asks for it, and as it is shown."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

Scope = Literal["post", "register", "backfill", "correct", "mend", "report"]
POSTING_SCOPES: tuple[Scope, ...] = ("post", "register", "backfill", "correct")
# mend: work on the quarantine; report: open incidents in people's name
SCOPES: tuple[Scope, ...] = (*POSTING_SCOPES, "mend", "report")
DAY = 86_400

Name = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f]{1,100}$", strip_whitespace=True)]
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:\-]{1,64}$")]
Ids = Annotated[list[Id], Field(max_length=1000)]
Rate = Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)]
Burst = Annotated[int, Field(ge=1, le=10**15)]


class KeyQuota(BaseModel):
    """Null: the installation's default; a rate of 0: unlimited. A burst is what may come at once
    after a pause, and the largest batch; its default is some seconds of the rate."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    readings_per_second: Rate | None = None
    readings_burst: Burst | None = None
    bytes_per_second: Rate | None = None
    bytes_burst: Burst | None = None


class KeyChange(BaseModel):
    """What of a key can be changed; what is left out stays as it is.

    `domains`, `areas`, `metrics` confine the key; an empty list does not. `expires_at` null: never.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [{"areas": ["441202"], "quota": {"readings_per_second": 500}}]
        },
    )

    name: Name = ""
    scopes: list[Scope] = Field(default=["post"], max_length=len(SCOPES))
    domains: Ids = []
    areas: Ids = []
    metrics: Ids = []
    quota: KeyQuota = KeyQuota()
    expires_at: AwareDatetime | None = None


class KeyIn(KeyChange):
    """A new key."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "water board",
                    "scopes": ["post", "backfill"],
                    "domains": ["utilities"],
                    "areas": ["441202"],
                    "quota": {"readings_per_second": 500},
                    "expires_at": "2027-12-31T16:00:00Z",
                }
            ]
        }
    )

    name: Name


class Key(BaseModel):
    """A key as it is kept; its token is not. `prefix`: how the token begins.

    `previous_until`: until then the token before the last rotation is valid too.
    `last_used_at` is at most about a minute behind.
    """

    key_id: str
    name: str
    prefix: str
    state: Literal["active", "expired", "revoked"]
    scopes: list[str]
    domains: list[str]
    areas: list[str]
    metrics: list[str]
    quota: KeyQuota
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    rotated_at: datetime | None
    previous_until: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


class NewToken(Key):
    """A key with its token, which is shown this once and kept nowhere."""

    token: str


class KeyList(BaseModel):
    """A page of keys."""

    items: list[Key]
    next: str | None


class Rotation(BaseModel):
    """How long the token that is replaced stays valid."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    overlap_seconds: Annotated[int, Field(ge=0, le=30 * DAY)] = DAY
