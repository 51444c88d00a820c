"""Rules as YAML files: every one that is right, and what is wrong with the others, where."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from services.alerts.rules import numbered, wording
from services.alerts.rules.numbered import Entry, Fault
from services.alerts.rules.rule import Rule

MAX_PARTS = 2_000  # of one rule's document
Loc = tuple[int | str, ...]
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


def parse(
    text: str, file: str, metrics: Set[str] = frozenset()
) -> tuple[list[Found], list[RuleError]]:
    """Every rule of one file that is right, and what is wrong with the others. `metrics`: the codes
    that are registered; none: that is not known."""
    document = numbered.read(text)
    if isinstance(document, Fault):
        return [], [RuleError(file, document.line, document.detail)]
    if document is None:
        return [], []
    if not isinstance(document, list):
        return [], [RuleError(file, 1, "a rule file holds a list of rules")]
    outcomes = [_parse_entry(entry, file, metrics) for entry in document]
    rules = [outcome for outcome in outcomes if isinstance(outcome, Found)]
    return rules, [outcome for outcome in outcomes if isinstance(outcome, RuleError)]


def load(folder: Path) -> tuple[list[Rule], list[RuleError]]:
    """`find`, the rules alone."""
    found, errors = find(folder)
    return [one.rule for one in found], errors


def find(folder: Path, metrics: Set[str] = frozenset()) -> tuple[list[Found], list[RuleError]]:
    """Every `*.yaml` of a folder, in the order of names; an id may be used once."""
    rules: dict[str, Found] = {}
    errors: list[RuleError] = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            errors.append(RuleError(path.name, 1, f"not readable: {error}"))
            continue
        found, wrong = parse(text, path.name, metrics)
        errors += wrong
        for one in found:
            first = rules.setdefault(one.rule.id, one)
            if first is not one:
                taken = f"{first.file}:{first.line}"
                detail = f"{one.rule.id}: the id is used twice, first in {taken}"
                errors.append(RuleError(one.file, one.line, detail))
    return list(rules.values()), errors


def parse_one(
    text: str, name: str, *, is_json: bool = False, metrics: Set[str] = frozenset()
) -> Found | RuleError:
    """One rule on its own, or a list of just one. `name`: what to call the text."""
    document = numbered.read_json(text) if is_json else numbered.read(text)
    if isinstance(document, Fault):
        return RuleError(name, document.line, document.detail)
    if isinstance(document, list) and len(document) == 1:
        document = document[0]
    if document is None or isinstance(document, list):
        return RuleError(name, 1, "one rule is expected here, a mapping of keys and values")
    return _parse_entry(document, name, metrics)


def _parse_entry(entry: Any, file: str, metrics: Set[str]) -> Found | RuleError:
    if not isinstance(entry, Entry):
        return RuleError(file, 1, f"a rule is a mapping, not {type(entry).__name__}")
    name = entry["id"][:64] if isinstance(entry.get("id"), str) else "rule"
    fault = numbered.fault(entry, MAX_PARTS)
    if fault is not None:
        return RuleError(file, fault.line, f"{name}: {fault.detail}")
    try:
        rule = Rule.model_validate(entry)
    except ValidationError as error:
        first = error.errors()[0]
        return _refusal(entry, file, wording.place_of(first), wording.plain(first, KEYS))
    unknown = next(iter(rule.metrics - metrics), None) if metrics else None
    if unknown is not None:
        return _refusal(
            entry, file, _place_of(entry, unknown), f"no metric {unknown} is registered"
        )
    return Found(rule, file, entry.line, numbered.plain_copy(entry))


def _refusal(entry: Entry, file: str, loc: Loc, reason: str) -> RuleError:
    name = entry["id"][:64] if isinstance(entry.get("id"), str) else "rule"
    place = ".".join(str(part) for part in loc)
    detail = f"{name}: {place}: {reason}" if place else f"{name}: {reason}"
    return RuleError(file, numbered.line_of(entry, loc), detail, wording.pointer(loc))


def _place_of(value: Any, metric: str) -> Loc:
    """Where a metric is named; nowhere: ()."""
    if isinstance(value, dict) and value.get("metric") == metric:
        return ("metric",)
    parts = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in parts:
        if isinstance(inner, dict | list) and (found := _place_of(inner, metric)):
            return (key, *found)
    return ()
