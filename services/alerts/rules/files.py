"""Rules as YAML files: every one that is right, and what is wrong with the others, where."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from services.alerts.rules import wording
from services.alerts.rules.rule import Rule

MAX_PARTS = 2_000  # of one rule's document
MAX_DEPTH = 24
KEYS = frozenset(field.alias or name for name, field in Rule.model_fields.items())


@dataclass(frozen=True)
class RuleError:
    """A rule that was refused. `line` counts from 1 in `file`; `pointer`: JSON pointer into it."""

    file: str
    line: int
    detail: str
    pointer: str = ""


@dataclass(frozen=True)
class Found:
    """A rule and where it stands. `document`: as it was written, in JSON's types."""

    rule: Rule
    file: str
    line: int
    document: Mapping[str, Any] = field(default_factory=dict)


def parse(text: str, file: str) -> tuple[list[Found], list[RuleError]]:
    """Every rule of one file that is right, and what is wrong with the others."""
    document = _read(text, file)
    if isinstance(document, RuleError):
        return [], [document]
    if document is None:
        return [], []
    if not isinstance(document, list):
        return [], [RuleError(file, 1, "a rule file holds a list of rules")]
    outcomes = [_parse_entry(entry, file) for entry in document]
    rules = [outcome for outcome in outcomes if isinstance(outcome, Found)]
    return rules, [outcome for outcome in outcomes if isinstance(outcome, RuleError)]


def load(folder: Path) -> tuple[list[Rule], list[RuleError]]:
    """`find`, the rules alone."""
    found, errors = find(folder)
    return [one.rule for one in found], errors


def find(folder: Path) -> tuple[list[Found], list[RuleError]]:
    """Every `*.yaml` of a folder, in the order of names; an id may be used once."""
    rules: dict[str, Found] = {}
    errors: list[RuleError] = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            errors.append(RuleError(path.name, 1, f"not readable: {error}"))
            continue
        found, wrong = parse(text, path.name)
        errors += wrong
        for one in found:
            first = rules.setdefault(one.rule.id, one)
            if first is not one:
                taken = f"{first.file}:{first.line}"
                detail = f"{one.rule.id}: the id is used twice, first in {taken}"
                errors.append(RuleError(one.file, one.line, detail))
    return list(rules.values()), errors


def parse_one(text: str, name: str, *, is_json: bool = False) -> Found | RuleError:
    """One rule on its own, or a list of just one. `name`: what to call the text."""
    document = _read_json(text, name) if is_json else _read(text, name)
    if isinstance(document, RuleError):
        return document
    if isinstance(document, list) and len(document) == 1:
        document = document[0]
    if document is None or isinstance(document, list):
        return RuleError(name, 1, "one rule is expected here, a mapping of keys and values")
    return _parse_entry(document, name)


class _Entry(dict[Any, Any]):
    """A YAML mapping with the line on which it and each of its keys begins."""

    line = 1
    lines: Mapping[Any, int] = {}
    twice: Any = None


def _read(text: str, file: str) -> Any:
    """What the YAML says, each mapping an `_Entry`; `RuleError` where it says nothing."""
    try:
        return yaml.load(text, Loader=_NumberedLoader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: an impossible date
        mark = getattr(error, "problem_mark", None)
        detail = getattr(error, "problem", None) or str(error).partition("\n")[0]
        return RuleError(file, mark.line + 1 if mark else 1, f"not YAML: {detail}")


def _read_json(text: str, name: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_entry_of_pairs)
    except json.JSONDecodeError as error:
        return RuleError(name, error.lineno, f"not JSON: {error.msg}")
    except (ValueError, RecursionError) as error:  # a number of thousands of digits
        return RuleError(name, 1, f"not JSON: {str(error).partition(';')[0]}")


def _parse_entry(entry: Any, file: str) -> Found | RuleError:
    if not isinstance(entry, _Entry):
        return RuleError(file, 1, f"a rule is a mapping, not {type(entry).__name__}")
    name = _name(entry)
    fault = _fault(entry, [MAX_PARTS])
    if fault is not None:
        return RuleError(file, fault[0] or entry.line, f"{name}: {fault[1]}")
    try:
        return Found(Rule.model_validate(entry), file, entry.line, _plain_copy(entry))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        reason = wording.plain(first, KEYS)
        detail = f"{name}: {place}: {reason}" if place else f"{name}: {reason}"
        return RuleError(file, _line(entry, first["loc"]), detail, wording.pointer(first["loc"]))


def _name(entry: "_Entry") -> str:
    name = entry.get("id")
    return name[:64] if isinstance(name, str) else "rule"


def _fault(value: Any, left: list[int], depth: int = 0) -> tuple[int, str] | None:
    """(line, why) where a document holds what no rule can, whatever its keys. `left`: how many
    parts it may still have: aliases make a short text long."""
    left[0] -= 1
    if left[0] < 0 or depth > MAX_DEPTH:
        return 0, f"too large: more than {MAX_PARTS} parts, or {MAX_DEPTH} levels"
    if isinstance(value, str):
        odd = "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value)
        return (0, "a text holds a character that cannot be kept") if odd else None
    if isinstance(value, dict | list):
        return _fault_within(value, left, depth)
    if isinstance(value, int | float | None):
        return None
    return 0, f"'{value}' is a {type(value).__name__}: put it in quotes"


def _fault_within(
    value: dict[Any, Any] | list[Any], left: list[int], depth: int
) -> tuple[int, str] | None:
    if isinstance(value, _Entry) and value.twice is not None:
        return value.lines.get(value.twice, 0), f"'{value.twice}' is given twice"
    if isinstance(value, dict):
        odd = next((key for key in value if not isinstance(key, str)), None)
        if odd is not None:
            return getattr(value, "line", 0), f"{str(odd)[:64]!r} is no key: keys are text"
        parts = [*value, *value.values()]
    else:
        parts = value
    return next((found for one in parts if (found := _fault(one, left, depth + 1))), None)


def _line(entry: "_Entry", loc: tuple[int | str, ...]) -> int:
    """Where the innermost thing of `loc` stands that has a line."""
    line, value = entry.line, entry
    for part in loc:
        if isinstance(value, _Entry):
            line = value.lines.get(part, value.line)
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            break
        if isinstance(value, _Entry) and part != loc[-1]:
            line = value.line
    return line


def _plain_copy(value: Any) -> Any:
    """In JSON's own types."""
    if isinstance(value, dict):
        return {key: _plain_copy(inner) for key, inner in value.items()}
    return [_plain_copy(inner) for inner in value] if isinstance(value, list) else value


class _NumberedLoader(yaml.SafeLoader):
    """Makes an `_Entry` of every mapping."""


def _entry_of(loader: _NumberedLoader, node: yaml.MappingNode) -> _Entry:
    written = list(node.value)  # before merge keys (`<<`) are resolved
    entry = _Entry(loader.construct_mapping(node, deep=True))
    entry.line = node.start_mark.line + 1
    lines: dict[Any, int] = {}
    for key, _ in written:
        name = getattr(key, "value", None)
        if isinstance(name, str):
            entry.twice = name if name in lines else entry.twice
            lines[name] = key.start_mark.line + 1
    entry.lines = lines
    return entry


def _entry_of_pairs(pairs: list[tuple[str, Any]]) -> _Entry:
    entry = _Entry(pairs)
    seen: set[str] = set()
    for key, _ in pairs:
        entry.twice = key if key in seen else entry.twice
        seen.add(key)
    return entry


_NumberedLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _entry_of)
