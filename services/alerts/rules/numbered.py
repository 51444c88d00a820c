"""YAML and JSON with the line on which everything stands, and bounded in size. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

MAX_PARTS = 20_000  # of one document
MAX_DEPTH = 24
MAX_KEYS = 500  # of one mapping


@dataclass(frozen=True)
class Fault:
    """What is wrong with a text. `line` counts from 1; 0: unknown."""

    line: int
    detail: str


class Entry(dict[Any, Any]):
    """A YAML mapping with the line on which it and each of its keys begins."""

    line = 1
    lines: Mapping[Any, int] = {}
    twice: Any = None


def read(text: str) -> Any:
    """What YAML says, each mapping an `Entry`; a `Fault` where it is none, or holds what nobody
    here can use: keys that are no text, dates, keys given twice, more than `MAX_PARTS`."""
    try:
        found = yaml.load(text, Loader=_NumberedLoader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: an impossible date
        mark = getattr(error, "problem_mark", None)
        detail = getattr(error, "problem", None) or str(error).partition("\n")[0]
        return Fault(mark.line + 1 if mark else 1, f"not YAML: {detail}")
    return found


def read_json(text: str) -> Any:
    """The same for JSON, whose mappings have no lines."""
    try:
        return json.loads(text, object_pairs_hook=_entry_of_pairs)
    except json.JSONDecodeError as error:
        return Fault(error.lineno, f"not JSON: {error.msg}")
    except (ValueError, RecursionError) as error:  # a number of thousands of digits
        return Fault(1, f"not JSON: {str(error).partition(';')[0]}")


def fault(entry: Entry, parts: int = MAX_PARTS) -> Fault | None:
    """Why nothing of ours can use what was read, whatever its keys mean. `parts`: how many it may
    have: aliases make a short text long."""
    found = _fault(entry, [parts])
    return None if found is None else Fault(found[0] or entry.line, found[1])


def line_of(entry: Entry, loc: tuple[int | str, ...]) -> int:
    """Where the innermost thing of `loc` stands that has a line."""
    line, value = entry.line, entry
    for part in loc:
        if isinstance(value, Entry):
            line = value.lines.get(part, value.line)
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            break
        if isinstance(value, Entry) and part != loc[-1]:
            line = value.line
    return line


def plain_copy(value: Any) -> Any:
    """In JSON's own types."""
    if isinstance(value, dict):
        return {key: plain_copy(inner) for key, inner in value.items()}
    return [plain_copy(inner) for inner in value] if isinstance(value, list) else value


def _fault(value: Any, left: list[int], depth: int = 0) -> tuple[int, str] | None:
    left[0] -= 1
    if left[0] < 0 or depth > MAX_DEPTH:
        return 0, f"too large, or more than {MAX_DEPTH} levels deep"
    if isinstance(value, str):
        odd = "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value)
        return (0, "a text holds a character that cannot be kept") if odd else None
    if isinstance(value, dict | list):
        return _fault_within(value, left, depth)
    if isinstance(value, int | float | None):
        return None
    return 0, f"'{value}' is a {type(value).__name__}, not text, a number, true or false"


def _fault_within(
    value: dict[Any, Any] | list[Any], left: list[int], depth: int
) -> tuple[int, str] | None:
    if isinstance(value, Entry) and value.twice is not None:
        return value.lines.get(value.twice, 0), f"'{value.twice}' is given twice"
    if isinstance(value, dict):
        odd = next((key for key in value if not isinstance(key, str)), None)
        if odd is not None:
            return getattr(value, "line", 0), f"{str(odd)[:64]!r} is no key: keys are text"
        parts = [*value, *value.values()]
    else:
        parts = value
    return next((found for one in parts if (found := _fault(one, left, depth + 1))), None)


class _NumberedLoader(yaml.SafeLoader):
    """Makes an `Entry` of every mapping. A date is text: nothing here is a date to YAML."""

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Merge keys (`<<`): merging what was merged must not grow without bound."""
        super().flatten_mapping(node)
        if len(node.value) > MAX_KEYS:
            raise yaml.constructor.ConstructorError(None, None, "too many keys", node.start_mark)


def _entry_of(loader: _NumberedLoader, node: yaml.MappingNode) -> Entry:
    written = list(node.value)  # before merge keys (`<<`) are resolved
    entry = Entry(loader.construct_mapping(node, deep=True))
    entry.line = node.start_mark.line + 1
    lines: dict[Any, int] = {}
    for key, _ in written:
        name = getattr(key, "value", None)
        if isinstance(name, str):
            entry.twice = name if name in lines else entry.twice
            lines[name] = key.start_mark.line + 1
    entry.lines = lines
    return entry


def _entry_of_pairs(pairs: list[tuple[str, Any]]) -> Entry:
    entry = Entry(pairs)
    seen: set[str] = set()
    for key, _ in pairs:
        entry.twice = key if key in seen else entry.twice
        seen.add(key)
    return entry


_NumberedLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _entry_of)
_NumberedLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if not tag.endswith(":timestamp")]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
