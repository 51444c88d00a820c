"""Whose an incident is, by category and area. Pure.

部件先属主后属地: a component (a manhole cover, a pump) belongs to its owner first, then to the
area's. 事件先属地后属主: an event (flooding, congestion) belongs to the area's first, then to the
owner.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Category:
    """What incidents may be about. `grade`, `priority`: of a person's report.
    `domain`: of the people whose business it is, where no metric tells."""

    code: str
    kind: Literal["component", "event"]
    name_zh: str
    name_en: str
    grade: int = 4
    priority: int = 3
    domain: str | None = None


@dataclass(frozen=True)
class Department:
    """`name` (in Chinese) is how incidents call it. `categories`: what it owns; `areas`: where it
    is responsible, with everything below; empty: the whole city."""

    name: str
    name_en: str
    categories: frozenset[str] = frozenset()
    areas: frozenset[str] = frozenset()
    parent: str | None = None

    def owns(self, category: str | None, areas: Sequence[str]) -> bool:
        """True when the category is its business in these areas."""
        here = not self.areas or not self.areas.isdisjoint(areas)
        return category in self.categories and here

    def tends(self, category: str | None, area: str) -> bool:
        """True when it is an area's own department, for this category or for any."""
        return area in self.areas and (not self.categories or category in self.categories)


@dataclass(frozen=True)
class Departments:
    """Everybody who can be sent."""

    departments: Sequence[Department]
    categories: Mapping[str, Category]

    def department_for(
        self, category: str | None, owner: str | None, areas: Sequence[str]
    ) -> str | None:
        """Who takes an incident first. `owner`: the rule's department; `areas`: every area that it
        lies in, the nearest first. None: nobody is known."""
        known = self.categories.get(category or "")
        owned = owner or self._owner(category, areas)
        local = self._local(category, areas)
        if known is not None and known.kind == "event":
            return local or owned
        return owned or local

    def _owner(self, category: str | None, areas: Sequence[str]) -> str | None:
        """The owner, one that is confined to these areas before the city's."""
        owners = [each for each in self.departments if each.owns(category, areas)]
        owners.sort(key=lambda each: (not each.areas, each.name))
        return owners[0].name if owners else None

    def _local(self, category: str | None, areas: Sequence[str]) -> str | None:
        """The nearest area's department, one for the category before one for everything."""
        for area in areas:
            local = [each for each in self.departments if each.tends(category, area)]
            local.sort(key=lambda each: (not each.categories, each.name))
            if local:
                return local[0].name
        return None
