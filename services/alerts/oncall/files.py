"""The folder of on-call duty: `*.yaml` with people, rosters, chains and routes, which the first
start enters."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import Field, ValidationError

from services.alerts.oncall.chain import Chain
from services.alerts.oncall.entry import Entry, Person
from services.alerts.oncall.oncall import Oncall
from services.alerts.oncall.roster import Roster
from services.alerts.oncall.route import Route
from shared.errors import Misconfigured


class Document(Entry):
    """One file. `routes`: the one that is looked at first in front."""

    people: Annotated[tuple[Person, ...], Field(max_length=10_000)] = ()
    rosters: Annotated[tuple[Roster, ...], Field(max_length=1_000)] = ()
    chains: Annotated[tuple[Chain, ...], Field(max_length=1_000)] = ()
    routes: Annotated[tuple[Route, ...], Field(max_length=1_000)] = ()


@dataclass(frozen=True)
class Seed:
    """What the files say together."""

    documents: tuple[Document, ...] = ()

    @property
    def oncall(self) -> Oncall:
        """As one."""
        return Oncall(
            {one.person_id: one for each in self.documents for one in each.people},
            {one.roster_id: one for each in self.documents for one in each.rosters},
            {one.chain_id: one for each in self.documents for one in each.chains},
            [one for each in self.documents for one in each.routes],
        )


def load(folder: Path) -> Seed:
    """Every file of a folder that may be missing, in the order of their names. Raises
    `Misconfigured`: nobody would notice at night that nobody is called."""
    seed = Seed(tuple(_document(path) for path in sorted(folder.glob("*.yaml"))))
    for complaint in seed.oncall.complaints():
        raise Misconfigured(f"{folder}: {complaint}")
    return seed


def _document(path: Path) -> Document:
    try:
        return Document.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise Misconfigured(f"{path}: not readable: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise Misconfigured(f"{path}: {place}: {first['msg']}") from error
