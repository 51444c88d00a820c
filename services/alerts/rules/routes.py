"""Rules over HTTP."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends

from services.alerts.rules.files import RuleError
from services.alerts.rules.rule import Rule
from shared.web.auth import require_role
from shared.web.identity import Identity

Viewer = Annotated[Identity, Depends(require_role("viewer"))]


def rules_router(rules: Sequence[Rule], errors: Sequence[RuleError]) -> APIRouter:
    """`/v1/rules`."""
    router = APIRouter(prefix="/v1/rules", tags=["rules"])

    @router.get("")
    async def list_rules(_: Viewer) -> dict[str, Any]:
        """The rules in force, and those that were refused, with file, line and reason."""
        return {
            "items": [rule.public() for rule in rules],
            "errors": [vars(error) for error in errors],
            "next": None,
        }

    return router
