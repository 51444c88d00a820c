"""Follows a request's path through the entities, and writes what is at its end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import quote, urlencode

from services.ops_center.sensorthings.entities import JOINT, LINKS, SETS, Stream, World
from services.ops_center.sensorthings.odata import Condition, Options, wrong
from services.ops_center.sensorthings.store import Found, observation
from shared.clock import from_micros, to_micros
from shared.web.problems import Problem

OBSERVATIONS = "Observations"
MOST_EXPANDED = 100  # entities whose Observations are looked up one by one


class Observing(Protocol):
    """See `store.Store`."""

    async def observations(
        self, stream: Stream, asked: Options, span: tuple[datetime, datetime]
    ) -> Found:
        """Of a Datastream."""
        ...


@dataclass(frozen=True)
class Reader:
    """One request. `root`: the service's address; `span`: from when until when somebody may be
    told of Observations."""

    world: World
    store: Observing
    root: str
    span: tuple[datetime, datetime]

    async def answer(
        self, steps: Sequence[tuple[str, str | None]], asked: Options, query: Mapping[str, str]
    ) -> Any:
        """An entity, or a page of a collection. Raises `Problem`."""
        kind, keys, single = self._first(*steps[0])
        for name, key in steps[1:]:
            if not single or name not in LINKS[kind]:
                raise _nothing(name)
            if LINKS[kind][name][0] == OBSERVATIONS:
                return await self._of_stream(kind, keys[0], key, steps[-1][0] == name, asked, query)
            keys = self.world.linked(kind, keys[0], name)
            kind, single = LINKS[kind][name]
            if key is not None:
                keys, single = [one for one in keys if one == key], True
        if kind == OBSERVATIONS:
            return await self._observation(keys[0], asked)
        if single:
            if not keys or keys[0] not in self.world.sets[kind]:
                raise _nothing(kind)
            return await self._entity(kind, keys[0], asked)
        return await self._page(kind, keys, asked, steps, query)

    def _first(self, name: str, key: str | None) -> tuple[str, list[str], bool]:
        if name not in SETS:
            raise _nothing(name)
        if key is not None:
            return name, [key], True
        if name == OBSERVATIONS:
            raise wrong("Observations are asked for by Datastream: Datastreams('…')/Observations")
        return name, list(self.world.sets[name]), False

    async def _page(
        self, kind: str, keys: Sequence[str], asked: Options,
        steps: Sequence[tuple[str, str | None]], query: Mapping[str, str],
    ) -> dict[str, Any]:  # fmt: skip
        found = self._sorted(kind, keys, asked)
        page = found[asked.skip : asked.skip + asked.top]
        made: dict[str, Any] = {"@iot.count": len(found)} if asked.count else {}
        if asked.skip + asked.top < len(found):
            made["@iot.nextLink"] = self._next(steps, asked, query)
        return made | {"value": [await self._entity(kind, key, asked) for key in page]}

    def _sorted(self, kind: str, keys: Sequence[str], asked: Options) -> list[str]:
        found = [key for key in keys if self._fits(kind, key, asked.conditions)]
        found.sort()
        for name, down in reversed(asked.order):
            found.sort(key=lambda key: str(self._value(kind, key, name)), reverse=down)
        return found

    def _fits(self, kind: str, key: str, conditions: Sequence[Condition]) -> bool:
        return all(one.holds(self._value(kind, key, one.name)) for one in conditions)

    def _value(self, kind: str, key: str, name: str) -> Any:
        """Of a property, such as `name`, `properties/metric` or `Thing/@iot.id`."""
        head, _, rest = name.partition("/")
        if head in ("id", "@iot.id"):
            return key
        if head in LINKS[kind] and LINKS[kind][head][1]:
            linked = self.world.linked(kind, key, head)
            return self._value(LINKS[kind][head][0], linked[0], rest) if linked and rest else None
        value = self.world.sets[kind][key].get(head)
        if rest and isinstance(value, Mapping):
            return value.get(rest)
        if head not in self.world.sets[kind][key]:
            raise wrong(f"{kind} have no property '{name}'")
        return value

    async def _entity(self, kind: str, key: str, asked: Options) -> dict[str, Any]:
        made = self._linked(kind, key, self.world.sets[kind][key], asked)
        for name, own in asked.expand.items():
            made[name] = await self._expanded(kind, key, name, own)
        return made

    async def _expanded(self, kind: str, key: str, name: str, asked: Options) -> Any:
        if name not in LINKS[kind]:
            raise wrong(f"$expand: {kind} have no '{name}'")
        target, single = LINKS[kind][name]
        if target == OBSERVATIONS:
            asked = replace(asked, top=min(asked.top, MOST_EXPANDED))
            return (await self._observations(key, asked))["value"]
        keys = self.world.linked(kind, key, name)
        if single:
            return await self._entity(target, keys[0], asked) if keys else None
        page = self._sorted(target, keys, asked)[asked.skip : asked.skip + asked.top]
        return [await self._entity(target, one, asked) for one in page]

    def _linked(
        self, kind: str, key: str, properties: Mapping[str, Any], asked: Options
    ) -> dict[str, Any]:
        address = f"{self.root}/{kind}('{quote(key)}')"
        chosen = asked.select
        if chosen is not None:
            properties = {name: one for name, one in properties.items() if name in chosen}
        made = {"@iot.id": key, "@iot.selfLink": address, **properties}
        if chosen is None:
            made |= {f"{name}@iot.navigationLink": f"{address}/{name}" for name in LINKS[kind]}
        return made

    async def _of_stream(
        self, kind: str, key: str, wanted: str | None, last: bool, asked: Options,
        query: Mapping[str, str],
    ) -> Any:  # fmt: skip
        if kind != "Datastreams" or not last:
            raise wrong("Observations are asked for by Datastream: Datastreams('…')/Observations")
        if wanted is not None:
            return await self._observation(wanted, asked)
        made = await self._observations(key, asked)
        if made.pop("more"):
            steps = [("Datastreams", key), (OBSERVATIONS, None)]
            made = {"@iot.nextLink": self._next(steps, asked, query), **made}
        return made

    async def _observations(self, key: str, asked: Options) -> dict[str, Any]:
        stream = self.world.streams.get(key)
        if stream is None:
            raise _nothing(f"Datastreams('{key}')")
        found = await self.store.observations(stream, asked, self.span)
        made: dict[str, Any] = {} if found.count is None else {"@iot.count": found.count}
        made["value"] = [
            self._linked(OBSERVATIONS, _key(key, row), observation(row), asked)
            for row in found.rows[: asked.top]
        ]
        return made | {"more": len(found.rows) > asked.top}

    async def _observation(self, key: str, asked: Options) -> dict[str, Any]:
        stream_key, _, micros = key.rpartition(JOINT)
        if not micros.lstrip("-").isdecimal() or len(micros) > 18:
            raise _nothing(f"Observations('{key}')")
        at = from_micros(int(micros))
        exactly = Options(top=1, conditions=(Condition("phenomenonTime", "eq", at),))
        found = (await self._observations(stream_key, replace(exactly, select=asked.select)))[
            "value"
        ]
        if not found:
            raise _nothing(f"Observations('{key}')")
        made: dict[str, Any] = found[0]
        for name, own in asked.expand.items():
            made[name] = await self._expanded(OBSERVATIONS, key, name, own)
        return made

    def _next(
        self, steps: Sequence[tuple[str, str | None]], asked: Options, query: Mapping[str, str]
    ) -> str:
        path = "/".join(n if k is None else f"{n}('{quote(k)}')" for n, k in steps)
        following = {**query, "$skip": str(asked.skip + asked.top), "$top": str(asked.top)}
        return f"{self.root}/{path}?{urlencode(following, safe='$')}"


def _key(stream: str, row: Any) -> str:
    return f"{stream}{JOINT}{to_micros(row.observed_at)}"


def _nothing(what: str) -> Problem:
    return Problem(404, "Not found", f"There is nothing at '{what}'.", code="not_found")
