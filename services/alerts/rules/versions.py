"""Versions of rules: what a change makes of them, and which of a file and an edit counts. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import ValidationError

from services.alerts.rules.files import Found, RuleError
from services.alerts.rules.rule import Rule

Source = Literal["file", "api"]
NOT_CONTENT = frozenset({"id", "version", "enabled"})


@dataclass(frozen=True)
class Change:
    """What a version is to say. `document`: the rule without id, version and `enabled`."""

    rule_id: str
    document: Mapping[str, Any]
    enabled: bool
    source: Source
    author: str
    file: str = ""
    note: str = ""
    retired: bool = False


@dataclass(frozen=True)
class Version(Change):
    """A change as it was kept: `version` counts from 1 per rule, `change` over all rules."""

    version: int = 1
    change: int = 0
    created_at: datetime | None = None

    def rule(self) -> Rule:
        """The rule as it is judged. ValidationError: the language has moved on since."""
        return Rule.model_validate(self.full_document())

    def full_document(self) -> dict[str, Any]:
        """As it is written, with id, version and whether it is enabled."""
        own = {"id": self.rule_id, "version": self.version}
        return own | dict(self.document) | {"enabled": self.enabled}


def content(document: Mapping[str, Any]) -> dict[str, Any]:
    """What of a document a version keeps."""
    return {key: value for key, value in document.items() if key not in NOT_CONTENT}


def says_the_same(one: Change, other: Change) -> bool:
    """True when two versions judge alike and show alike, however they are written."""
    if (one.enabled, one.retired) != (other.enabled, other.retired):
        return False
    if one.document == other.document:
        return True
    try:
        first, second = (
            Rule.model_validate({**each.document, "id": "same"}) for each in (one, other)
        )
    except ValidationError:
        return False
    return first == second


@dataclass(frozen=True)
class Standing:
    """A rule's newest version, and the newest one that came from a file, if any did."""

    current: Version
    from_file: Version | None


def from_files(
    found: Sequence[Found], errors: Sequence[RuleError], standing: Mapping[str, Standing]
) -> list[Change]:
    """What the files change. One that still says what it said when it was last taken in changes
    nothing, whatever was edited since; one that says something else wins over every edit.

    A rule that has left its file is retired, unless it was edited since or the file has errors: a
    slip of the pen must not switch a rule off.
    """
    changes = [change for one in found if (change := _from_file(one, standing)) is not None]
    present = {one.rule.id for one in found}
    wrong = {error.file for error in errors}
    gone = [
        known.current
        for rule_id, known in standing.items()
        if rule_id not in present
        and known.current.source == "file"
        and not known.current.retired
        and known.current.file not in wrong
    ]
    note = "no longer in its file"
    return changes + [
        Change(one.rule_id, one.document, one.enabled, "file", one.file, one.file, note, True)
        for one in gone
    ]


def _from_file(one: Found, standing: Mapping[str, Standing]) -> Change | None:
    change = Change(
        one.rule.id, content(one.document), one.rule.enabled, "file", one.file, one.file
    )
    known = standing.get(one.rule.id)
    before = known.from_file if known is not None else None
    return None if before is not None and says_the_same(before, change) else change


def overridden(known: Standing) -> str:
    """Name of the file whose rule an edit stands in for; "" when none does."""
    if known.current.source == "file" or known.from_file is None or known.from_file.retired:
        return ""
    return "" if says_the_same(known.from_file, known.current) else known.from_file.file
