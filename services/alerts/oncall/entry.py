"""What every entry of the on-call configuration stands on: people, rosters, chains and routes."""

from typing import Annotated, Literal
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Language = Literal["zh", "en"]
Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}$")]
Words = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]*$")]


class Entry(BaseModel):
    """Nothing unknown, nothing changed. The same form in files, over HTTP and in the database."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"'{value}' is no time zone") from None
    return value


Zone = Annotated[str, Field(max_length=64), AfterValidator(_zone)]


class Person(Entry):
    """Somebody who can be told. `person_id`: the account's name, or any other; `contacts`: ids of
    endpoints, the one to try first in front."""

    person_id: Code
    name: Words
    language: Language = "zh"
    contacts: Annotated[tuple[UUID, ...], Field(max_length=10)] = ()
