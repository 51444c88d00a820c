"""Rules as YAML files: every one that is right, and what is wrong with the others, where."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from services.alerts.rules.rule import Rule


@dataclass(frozen=True)
class RuleError:
    """A rule that was refused. `line` counts from 1 in `file`."""

    file: str
    line: int
    detail: str


@dataclass(frozen=True)
class Found:
    """A rule and where it stands."""

    rule: Rule
    file: str
    line: int


def parse(text: str, file: str) -> tuple[list[Found], list[RuleError]]:
    """Every rule of one file that is right, and what is wrong with the others."""
    try:
        document = yaml.load(text, Loader=_NumberedLoader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: an impossible date
        mark = getattr(error, "problem_mark", None)
        detail = getattr(error, "problem", None) or str(error)
        return [], [RuleError(file, mark.line + 1 if mark else 1, f"not YAML: {detail}")]
    if document is None:
        return [], []
    if not isinstance(document, list):
        return [], [RuleError(file, 1, "a rule file holds a list of rules")]
    outcomes = [_parse_entry(entry, file) for entry in document]
    rules = [outcome for outcome in outcomes if isinstance(outcome, Found)]
    return rules, [outcome for outcome in outcomes if isinstance(outcome, RuleError)]


def load(folder: Path) -> tuple[list[Rule], list[RuleError]]:
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
    return [one.rule for one in rules.values()], errors


class _Entry(dict[Any, Any]):
    """A YAML mapping with the line on which it and each of its keys begins."""

    line = 1
    lines: Mapping[Any, int] = {}
    twice: Any = None


def _parse_entry(entry: Any, file: str) -> Found | RuleError:
    if not isinstance(entry, _Entry):
        return RuleError(file, 1, f"a rule is a mapping, not {type(entry).__name__}")
    name = entry.get("id", "rule")
    if entry.twice is not None:
        detail = f"{name}: '{entry.twice}' is given twice"
        return RuleError(file, entry.lines[entry.twice], detail)
    try:
        return Found(Rule.model_validate(entry), file, entry.line)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        line = entry.lines.get(first["loc"][0], entry.line) if first["loc"] else entry.line
        return RuleError(file, line, f"{name}: {place + ': ' if place else ''}{first['msg']}")


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


_NumberedLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _entry_of)
