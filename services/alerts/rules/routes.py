"""Rules over HTTP."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.alerts.rules import body, edits
from services.alerts.rules.edits import By
from services.alerts.rules.repository import Repository, TooMany
from services.alerts.rules.rule import Rule
from services.alerts.rules.source import Rules, in_force
from services.alerts.rules.versions import Standing, Version, overridden
from shared.web.auth import require_role
from shared.web.cursors import from_cursor, number_of, to_cursor
from shared.web.identity import Identity
from shared.web.problems import Problem

Viewer = Annotated[Identity, Depends(require_role("viewer"))]
Admin = Annotated[Identity, Depends(require_role("admin"))]
PRINTABLE = r"^[^\x00]*$"
RuleId = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$", examples=["gas-leak"])]
Note = Annotated[str, Query(max_length=4_000, pattern=PRINTABLE, description="Why")]
Expected = Annotated[int | None, Query(ge=1, lt=2**31, description="The version you looked at")]


class Switch(BaseModel):
    """Why a rule is switched, and the version that was looked at."""

    model_config = ConfigDict(extra="forbid")

    note: Annotated[str, Field(max_length=4_000, pattern=PRINTABLE)] = ""
    version: Annotated[int | None, Field(ge=1, lt=2**31, strict=True)] = None


def rules_router(rules: Rules, repository: Repository) -> APIRouter:
    """`/v1/rules…`."""
    router = APIRouter(prefix="/v1/rules", tags=["rules"])
    _add_reading(router, rules, repository)
    _add_editing(router, rules, repository)
    return router


def _add_reading(router: APIRouter, rules: Rules, repository: Repository) -> None:
    @router.get("")
    async def list_rules(
        _: Viewer,
        limit: Annotated[int, Query(ge=1, le=1_000)] = 500,
        cursor: str | None = None,
    ) -> dict[str, Any]:
        """The rules in force, by id, and what was refused, with file, line and reason."""
        after = from_cursor(cursor) or ""
        standing = await repository.standing()
        wanted = [rule for rule in in_force(standing)[0] if rule.id > after]
        page = sorted(wanted, key=lambda rule: rule.id)[:limit]
        return {
            "items": [_in_list(rule, standing[rule.id]) for rule in page],
            "errors": [vars(error) for error in rules.errors],
            "next": to_cursor(page[-1].id) if len(page) < len(wanted) else None,
        }

    @router.get("/{rule_id}")
    async def get_rule(_: Viewer, rule_id: RuleId) -> dict[str, Any]:
        """One rule as it is now, retired ones too. `document` is what a PUT takes."""
        known = (await repository.standing(rule_id)).get(rule_id)
        if known is None:
            raise edits.unknown(rule_id)
        return _shown(known)

    @router.get("/{rule_id}/versions")
    async def list_versions(
        _: Viewer,
        rule_id: RuleId,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
        cursor: str | None = None,
    ) -> dict[str, Any]:
        """Every version of a rule, newest first: what it said, who made it, when and why."""
        below = number_of(cursor)
        if below is not None and below >= 2**31:
            below = None
        found = await repository.versions(rule_id, below, limit)
        if not found and below is None:
            raise edits.unknown(rule_id)
        following = to_cursor(str(found[-1].version)) if len(found) == limit else None
        return {"items": [_version(one) for one in found], "next": following}


def _add_editing(router: APIRouter, rules: Rules, repository: Repository) -> None:
    async def edit(rule_id: str, decide: edits.Decide, who: Identity) -> Standing:
        try:
            known = await repository.edit(rule_id, decide, who.by)
        except TooMany as error:
            raise Problem(409, "Conflict", str(error), code="too_many") from None
        rules.edited.set()
        return known

    @router.post("", status_code=201, openapi_extra=body.REQUEST)
    async def add_rule(who: Admin, request: Request, note: Note = "") -> dict[str, Any]:
        """Add a rule, as JSON or YAML; it is in force within two seconds."""
        found = body.parsed(*await body.read_text(request), await repository.metrics())
        by = By(who.name, note)
        return _shown(await edit(found.rule.id, edits.added(found, by), who))

    @router.put("/{rule_id}", openapi_extra=body.REQUEST)
    async def replace_rule(
        who: Admin, rule_id: RuleId, request: Request, note: Note = ""
    ) -> dict[str, Any]:
        """Edit a rule. Its `version` is the one you have edited: 409 if another is in force now.

        An edit counts until the rule's file, if it has one, says something else than it does now.
        """
        found = body.parsed(*await body.read_text(request), await repository.metrics())
        if found.rule.id != rule_id:
            raise _invalid("/id", f"the rule is {found.rule.id}, the address names {rule_id}")
        if "version" not in found.document:
            raise _invalid("/version", "say which version you have edited")
        by = By(who.name, note)
        return _shown(await edit(rule_id, edits.replaced(found, found.rule.version, by), who))

    @router.post("/{rule_id}/{switch}")
    async def switch_rule(
        who: Admin, rule_id: RuleId, switch: Literal["enable", "disable"], given: Switch
    ) -> dict[str, Any]:
        """Switch a rule on or off."""
        by, on = By(who.name, given.note), switch == "enable"
        return _shown(await edit(rule_id, edits.switched(rule_id, on, given.version, by), who))

    @router.delete("/{rule_id}", status_code=204)
    async def retire_rule(
        who: Admin, rule_id: RuleId, version: Expected = None, note: Note = ""
    ) -> Response:
        """Retire a rule; its versions are kept, and adding it again continues them."""
        await edit(rule_id, edits.retired(rule_id, version, By(who.name, note)), who)
        return Response(status_code=204)


def _in_list(rule: Rule, known: Standing) -> dict[str, Any]:
    """Every key as the language has it, with its default; durations in seconds."""
    seconds = {"for_seconds": rule.for_seconds, "deadline_seconds": rule.deadline_seconds}
    return rule.model_dump(mode="json", by_alias=True) | seconds | _origin(known)


def _origin(known: Standing) -> dict[str, Any]:
    """Where a rule's current version comes from. `overrides`: the file whose rule it stands in
    for, until that file changes."""
    one = known.current
    shown = {"source": one.source, "file": one.file, "author": one.author, "note": one.note}
    return shown | {"created_at": one.created_at, "overrides": overridden(known) or None}


def _shown(known: Standing) -> dict[str, Any]:
    return _version(known.current) | {"overrides": overridden(known) or None}


def _version(one: Version) -> dict[str, Any]:
    return {
        "id": one.rule_id,
        "version": one.version,
        "enabled": one.enabled,
        "retired": one.retired,
        "source": one.source,
        "file": one.file,
        "author": one.author,
        "note": one.note,
        "created_at": one.created_at,
        "document": one.full_document(),
    }


def _invalid(pointer: str, detail: str) -> Problem:
    return Problem(
        422, "Invalid rule", f"{pointer}: {detail}", code="invalid_rule", pointer=pointer
    )
