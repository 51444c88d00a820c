"""What a person may do to a rule, and why not. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from services.alerts.rules.files import Found
from services.alerts.rules.versions import Change, Standing, content, says_the_same
from shared.web.problems import Problem

Decide = Callable[[Standing | None], Change | None]


@dataclass(frozen=True)
class By:
    """Who edits, and the reason that he gives."""

    author: str
    note: str = ""


def added(found: Found, by: By) -> Decide:
    """A new rule; one that was retired may come back."""

    def decide(known: Standing | None) -> Change:
        if known is not None and not known.current.retired:
            raise _conflict("exists", f"there is a rule {found.rule.id} already", known)
        return _written(found, by)

    return decide


def replaced(found: Found, expected: int, by: By) -> Decide:
    """The rule as it is written now, instead of version `expected`."""

    def decide(known: Standing | None) -> Change | None:
        current = _current(known, found.rule.id, expected)
        change = _written(found, by)
        return None if says_the_same(current, change) else change

    return decide


def switched(rule_id: str, enabled: bool, expected: int | None, by: By) -> Decide:
    """The same rule, switched on or off."""

    def decide(known: Standing | None) -> Change | None:
        current = _current(known, rule_id, expected)
        return None if current.enabled == enabled else _again(current, by, enabled=enabled)

    return decide


def retired(rule_id: str, expected: int | None, by: By) -> Decide:
    """The rule, no longer there."""

    def decide(known: Standing | None) -> Change:
        return replace(_again(_current(known, rule_id, expected), by), retired=True)

    return decide


def unknown(rule_id: str) -> Problem:
    """404."""
    return Problem(404, "Not found", f"there is no rule {rule_id}", code="not_found")


def _current(known: Standing | None, rule_id: str, expected: int | None) -> Change:
    if known is None or known.current.retired:
        raise unknown(rule_id)
    if expected is not None and expected != known.current.version:
        detail = f"version {expected} was edited, but {known.current.version} is in force now"
        raise _conflict("stale", detail, known)
    return known.current


def _written(found: Found, by: By) -> Change:
    return Change(
        found.rule.id, content(found.document), found.rule.enabled, "api", by.author, note=by.note
    )


def _again(current: Change, by: By, *, enabled: bool | None = None) -> Change:
    on = current.enabled if enabled is None else enabled
    return Change(current.rule_id, current.document, on, "api", by.author, note=by.note)


def _conflict(code: str, detail: str, known: Standing) -> Problem:
    now = {"version": known.current.version, "author": known.current.author}
    return Problem(409, "Conflict", detail, code=code, current=now)
