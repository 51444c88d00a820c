"""What a SensorThings request asks: its path and its OData query options (OGC 18-088, 9). Pure.

Of `$filter` the part that clients use on such data: comparisons and `startswith`, joined by `and`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shared.contracts.reading import parse_moment
from shared.web.problems import Problem

MOST, DEFAULT, MOST_SKIPPED = 1_000, 100, 1_000_000
_STEP = re.compile(r"(?P<name>[A-Za-z]+)(?:\('(?P<key>(?:[^']|'')*)'\))?$")
_COMPARED = re.compile(r"(?P<name>[@\w./]+)\s+(?P<op>eq|ne|gt|ge|lt|le)\s+(?P<value>.+)$", re.S)
_BEGINS = re.compile(r"startswith\(\s*(?P<name>[@\w./]+)\s*,\s*(?P<value>'(?:[^']|'')*')\s*\)$")
_AND = re.compile(r"\s+and\s+(?=(?:[^']*'[^']*')*[^']*$)")


@dataclass(frozen=True, slots=True)
class Condition:
    """`op`: eq, ne, gt, ge, lt, le or startswith."""

    name: str
    op: str
    value: Any

    def holds(self, value: Any) -> bool:
        """Of a value; of none only `ne`."""
        if value is None or not isinstance(value, type(self.value)):
            return self.op == "ne"
        match self.op:
            case "eq":
                return bool(value == self.value)
            case "ne":
                return bool(value != self.value)
            case "gt":
                return bool(value > self.value)
            case "ge":
                return bool(value >= self.value)
            case "lt":
                return bool(value < self.value)
            case "le":
                return bool(value <= self.value)
        return bool(value.startswith(self.value))


@dataclass(frozen=True, slots=True)
class Options:
    """Of one collection. `order`: (property, descending)."""

    top: int = DEFAULT
    skip: int = 0
    count: bool = False
    conditions: tuple[Condition, ...] = ()
    order: tuple[tuple[str, bool], ...] = ()
    expand: Mapping[str, "Options"] = field(default_factory=dict)
    select: frozenset[str] | None = None


def steps(path: str) -> list[tuple[str, str | None]]:
    """`Datastreams('x')/Observations` → its steps, each a name and a key or None."""
    found = []
    for part in re.split(r"/(?=(?:[^']*'[^']*')*[^']*$)", path.strip("/")):
        step = _STEP.match(part)
        if step is None:
            raise Problem(404, "Not found", f"There is nothing at '{part}'.", code="not_found")
        key = step["key"]
        found.append((step["name"], None if key is None else key.replace("''", "'")))
    return found


def options(asked: Mapping[str, str]) -> Options:
    """Raises `Problem` 400 for what is wrong or not offered."""
    unknown = sorted(
        asked.keys() - {"$top", "$skip", "$count", "$filter", "$orderby", "$expand", "$select"}
    )
    if unknown:
        raise wrong(f"{unknown[0]} is not offered")
    return Options(
        min(_number(asked, "$top", DEFAULT), MOST),
        _number(asked, "$skip", 0),
        asked.get("$count", "false").lower() == "true",
        tuple(_condition(one) for one in _AND.split(asked["$filter"]))
        if "$filter" in asked
        else (),
        tuple(_order(one) for one in _split(asked.get("$orderby", ""), ",")),
        _expansions(asked.get("$expand", "")),
        frozenset(_split(asked["$select"], ",")) if "$select" in asked else None,
    )


def wrong(detail: str) -> Problem:
    """400, as OData has it."""
    return Problem(400, "Bad request", detail, code="query")


def _number(asked: Mapping[str, str], name: str, default: int) -> int:
    raw = asked.get(name)
    if raw is None:
        return default
    if not (raw.isascii() and raw.isdecimal()) or int(raw[:9]) > MOST_SKIPPED:
        raise wrong(f"{name} should be a whole number up to {MOST_SKIPPED}")
    return int(raw)


def _condition(text: str) -> Condition:
    text = text.strip()
    found = _BEGINS.match(text)
    if found is not None:
        return Condition(found["name"], "startswith", _literal(found["value"]))
    found = _COMPARED.match(text)
    if found is None:
        raise wrong(f"$filter: '{text}': comparisons joined by 'and', and startswith, are offered")
    return Condition(found["name"], found["op"], _literal(found["value"].strip()))


def _literal(text: str) -> Any:
    if re.fullmatch(r"'(?:[^']|'')*'", text):
        return text[1:-1].replace("''", "'")
    if text in ("true", "false"):
        return text == "true"
    try:
        return float(text)
    except ValueError:
        pass
    try:
        moment: datetime = parse_moment(text)
    except (ValueError, OverflowError):
        raise wrong(f"$filter: '{text}' is no text, number or time") from None
    return moment


def _order(text: str) -> tuple[str, bool]:
    name, _, way = text.partition(" ")
    if way.strip() not in ("", "asc", "desc"):
        raise wrong(f"$orderby: '{text}'")
    return name, way.strip() == "desc"


def _expansions(text: str) -> dict[str, Options]:
    found: dict[str, Options] = {}
    for part in _split(text, ","):
        path, _, inner = part.partition("(")
        if inner and not inner.endswith(")"):
            raise wrong(f"$expand: '{part}'")
        own = dict(_pair(one) for one in _split(inner[:-1], ";"))
        name, _, rest = path.partition("/")
        if rest:
            own["$expand"] = ",".join(filter(None, (own.get("$expand"), rest)))
        found[name] = options(own)
    return found


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name.strip(), value.strip()


def _split(text: str, by: str) -> list[str]:
    """Outside of brackets and quotes."""
    parts, depth, quoted, begun = [], 0, False, 0
    for at, letter in enumerate(text):
        quoted ^= letter == "'"
        depth += 0 if quoted else (letter == "(") - (letter == ")")
        if letter == by and depth == 0 and not quoted:
            parts.append(text[begun:at])
            begun = at + 1
    return [part.strip() for part in (*parts, text[begun:]) if part.strip()]
