"""What an administrator says of a person, and what is shown. Pure."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

PRINTABLE = r"^[^\x00]*$"
NAME = r"^[A-Za-z0-9\u4e00-\u9fff][A-Za-z0-9\u4e00-\u9fff._@-]{0,63}$"
SHORTEST_PASSWORD = 10
Role = Literal["viewer", "operator", "dispatcher", "admin"]


class GrantBody(BaseModel):
    """A role in an area, with all that lies in it, and a domain of metrics; null: in all."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    role: Role
    area_id: Annotated[str | None, Field(min_length=1, max_length=64, pattern=PRINTABLE)] = None
    domain: Annotated[str | None, Field(min_length=1, max_length=64, pattern=PRINTABLE)] = None


Grants = Annotated[list[GrantBody], Field(max_length=100)]
Department = Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f]*$")]
DisplayName = Annotated[str, Field(max_length=100, pattern=PRINTABLE)]
NewPassword = Annotated[str, Field(min_length=SHORTEST_PASSWORD, max_length=256)]


class UserIn(BaseModel):
    """A new account. Without `password` one is made, and shown once; either must be changed at the
    first login. `department`: that he works for, as `GET /v1/departments` names it; null: none."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "username": "li.na",
                    "display_name": "李娜",
                    "grants": [{"role": "operator", "area_id": "441203", "domain": "environment"}],
                    "department": "排水管理处",
                }
            ]
        },
    )

    username: Annotated[str, Field(pattern=NAME)]
    display_name: DisplayName = ""
    grants: Grants = []
    department: Department | None = None
    password: NewPassword | None = None


class UserChange(BaseModel):
    """What the body names becomes different. `grants` replaces all of them; `department` null or
    empty: he works for none any more; `disabled` ends every session."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"disabled": True}]})

    display_name: DisplayName | None = None
    grants: Grants | None = None
    department: Department | None = None
    disabled: bool | None = None


class User(BaseModel):
    """An account. `role`: the highest that it holds anywhere; `login`: how it logs in."""

    username: str
    display_name: str
    role: str
    grants: list[GrantBody]
    department: str | None
    disabled: bool
    disabled_at: datetime | None
    must_change_password: bool
    login: Literal["password", "oidc"]
    created_at: datetime


class UserList(BaseModel):
    """A page of accounts, by name."""

    items: list[User]
    next: str | None


class OneTime(BaseModel):
    """A password that is shown this once, and must be changed at the first login; until then."""

    user: User
    password: str | None
    valid_until: datetime


class Session(BaseModel):
    """Where somebody is logged in. `current`: the one that asks."""

    session_id: UUID
    created_at: datetime
    expires_at: datetime
    address: str
    agent: str
    via: Literal["password", "oidc"]
    current: bool


class SessionList(BaseModel):
    """Sessions, newest first."""

    items: list[Session]
    next: None = None


class PasswordChange(BaseModel):
    """The password that somebody has, and the one that he wants."""

    model_config = ConfigDict(extra="forbid")

    current: Annotated[str, Field(min_length=1, max_length=256)]
    new: NewPassword
