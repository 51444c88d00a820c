"""Who is to be told of what, at one moment: people, rosters, chains and routes. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.alerts.oncall.chain import Chain, Target
from services.alerts.oncall.entry import Person
from services.alerts.oncall.roster import Override, Roster, duty
from services.alerts.oncall.route import Route, Told


@dataclass(frozen=True)
class Oncall:
    """An immutable snapshot. `routes`: the one that is looked at first in front; `overrides`: of
    each roster, those that are not long over."""

    people: Mapping[str, Person] = field(default_factory=dict)
    rosters: Mapping[str, Roster] = field(default_factory=dict)
    chains: Mapping[str, Chain] = field(default_factory=dict)
    routes: Sequence[Route] = ()
    overrides: Mapping[str, Sequence[Override]] = field(default_factory=dict)

    def person(self, person_id: str) -> Person | None:
        """None: there is nobody of this name any more."""
        return self.people.get(person_id)

    def chain(self, chain_id: str) -> Chain | None:
        """None: there is no such chain any more."""
        return self.chains.get(chain_id)

    def on_duty(self, roster_id: str, at: datetime) -> Sequence[str]:
        """Ids of everybody on duty; nobody: a gap, or there is no such roster."""
        roster = self.rosters.get(roster_id)
        if roster is None:
            return ()
        return duty(roster, self.overrides.get(roster_id, ()), at).people

    def routes_for(self, told: Told, areas: Sequence[str]) -> Sequence[Route]:
        """Routes of an incident: the first that fits, and as long as they say `continue`, further
        ones. `areas`: all that it lies in."""
        found: list[Route] = []
        for route in self.routes:
            if route.matchers.fit(told, areas):
                found.append(route)
                if not route.continues:
                    break
        return found

    def route_for(self, told: Told, areas: Sequence[str]) -> Route | None:
        """The first of `routes_for`."""
        return next(iter(self.routes_for(told, areas)), None)

    def complaints(self) -> Iterator[str]:
        """What names something that there is not."""
        for roster in self.rosters.values():
            for person in sorted(roster.people - self.people.keys()):
                yield f"roster {roster.roster_id}: there is no person {person}"
        for roster_id, overrides in self.overrides.items():
            for person in sorted({who for one in overrides for who in one.people}):
                if person not in self.people:
                    yield f"roster {roster_id}: an override names {person}, who is not known"
        for chain in self.chains.values():
            for target in sorted(chain.targets, key=lambda one: (one.kind, one.id)):
                if not self._knows(target):
                    yield f"chain {chain.chain_id}: there is no {target.kind} {target.id}"
        for route in self.routes:
            if route.chain not in self.chains:
                yield f"route {route.route_id}: there is no chain {route.chain}"

    def _knows(self, target: Target) -> bool:
        match target.kind:
            case "person":
                return target.id in self.people
            case "roster":
                return target.id in self.rosters
        return True  # endpoints are not ours: whoever writes looks them up
