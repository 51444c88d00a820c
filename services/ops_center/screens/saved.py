"""A saved view, and the screens that show it: as they are asked for, and as they are shown."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic.config import JsonDict

from shared.contracts.live import CityDomain

Name = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f]{1,100}$", strip_whitespace=True)]
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:\-]{1,64}$")]
Panel = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_\-]{0,31}$")]

_WALL: JsonDict = {
    "name": "端州水务 Duanzhou water",
    "area_id": "441202",
    "domains": ["environment", "utilities"],
    "theme": "dark",
    "language": "zh",
    "panels": ["vitals", "incidents", "trends"],
}
_FORBID = ConfigDict(extra="forbid", frozen=True)


class Centre(BaseModel):
    """Where the map looks. WGS 84; `zoom` as in web maps, 0 is the whole world."""

    model_config = _FORBID

    lon: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
    lat: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
    zoom: Annotated[float, Field(ge=0, le=22, allow_inf_nan=False)]


class Turn(BaseModel):
    """One view of a playlist, and how long it stays."""

    model_config = _FORBID

    view_id: Id
    seconds: Annotated[int, Field(ge=5, le=86_400)]


class ViewIn(BaseModel):
    """A view: of kind `wall` what a screen shows, of kind `playlist` walls in turn.

    `area_id` and `domains` (empty: all) confine the screens that show it, and the map is fitted to
    the area unless `centre` says where it looks. `panels`: those that are shown; empty: all.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [_WALL]})

    name: Name
    kind: Literal["wall", "playlist"] = "wall"
    centre: Centre | None = None
    area_id: Id | None = None
    domains: Annotated[list[CityDomain], Field(max_length=16)] = []
    theme: Literal["dark", "light"] = "dark"
    language: Literal["zh", "en"] = "zh"
    panels: Annotated[list[Panel], Field(max_length=32)] = []
    playlist: Annotated[list[Turn], Field(max_length=100)] = []

    @model_validator(mode="after")
    def _one_kind(self) -> "ViewIn":
        if self.kind == "wall" and self.playlist:
            raise ValueError("a wall has no playlist")
        if self.kind == "playlist":
            if not self.playlist:
                raise ValueError("a playlist needs a view to play")
            if self.area_id or self.domains or self.centre or self.panels:
                raise ValueError("a playlist leaves area, domains, centre and panels to its views")
        return self


class SavedView(ViewIn):
    """A view as it is kept."""

    view_id: str
    created_by: str
    created_at: datetime
    updated_at: datetime


class ViewList(BaseModel):
    """A page of views."""

    items: list[SavedView]
    next: str | None


class ScreenChange(BaseModel):
    """What of a screen can be changed; what is left out stays as it is.

    `view_id` null: the whole city. `expires_at` null: never.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"examples": [{"expires_at": "2030-12-31T16:00:00Z"}]},
    )

    name: Name = ""
    view_id: Id | None = None
    expires_at: AwareDatetime | None = None


class ScreenIn(ScreenChange):
    """A new screen."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "lobby 1", "expires_at": "2030-12-31T16:00:00Z"}]}
    )

    name: Name


class Screen(BaseModel):
    """A screen as it is kept; its token is not. `prefix`: how the token begins."""

    screen_id: str
    name: str
    prefix: str
    view_id: str | None
    state: Literal["active", "expired", "revoked"]
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


class NewScreen(Screen):
    """A screen with its token, which is shown this once. `path`: the wall's address with it."""

    token: str
    path: str


class ScreenList(BaseModel):
    """A page of screens."""

    items: list[Screen]
    next: str | None
