"""What depends on what, over HTTP."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.alerts.connection import reachable
from services.alerts.incidents import ledger
from services.alerts.incidents.dependencies import Edge, cycle
from shared.clock import system_clock
from shared.store.audit import Action, record_change
from shared.store.tables import alerts_audit, dependencies
from shared.web.auth import require_role
from shared.web.identity import Identity
from shared.web.problems import Problem

Viewer = Annotated[Identity, Depends(require_role("viewer"))]
Admin = Annotated[Identity, Depends(require_role("admin"))]
Pattern = Annotated[
    str, Field(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9._:*?-]+$")
]  # a sensor's id, or a glob
EXAMPLE: dict[str, Any] = {"upstream": "substation-1", "downstream": "pump-12-*", "note": "专线"}


class Dependency(BaseModel):
    """What fails `upstream` makes fail `downstream`. `*` and `?` stand for any characters or one;
    a rule over several sensors is meant by its area or group."""

    model_config = ConfigDict(extra="forbid")

    upstream: Pattern
    downstream: Pattern
    note: Annotated[str, Field(max_length=500, pattern=r"^[^\x00]*$")] = ""


class DependenciesBody(BaseModel):
    """Every dependency there is to be."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"items": [EXAMPLE]}]}
    )

    items: Annotated[list[Dependency], Field(max_length=500)]


def dependencies_router(engine: AsyncEngine) -> APIRouter:
    """`/v1/dependencies`."""
    router = APIRouter(prefix="/v1/dependencies", tags=["incidents"])

    @router.get("", summary="What depends on what")
    async def list_dependencies(_: Viewer) -> dict[str, Any]:
        """An alert downstream of one that stands is shown below it, and pages nobody."""
        async with reachable(engine.connect()) as connection:
            return {"items": await _standing(connection), "next": None}

    @router.put("", summary="Replace all dependencies")
    async def replace_dependencies(who: Admin, body: DependenciesBody) -> dict[str, Any]:
        """All or none: a circle is refused. Alerts that come from now on follow them."""
        _check(body.items)
        rows = [item.model_dump() | {"created_by": who.name} for item in body.items]
        async with reachable(engine.begin()) as connection:
            await ledger.one_at_a_time(connection)
            before = {"items": _shown(await _standing(connection))}
            await connection.execute(delete(dependencies))
            if rows:
                await connection.execute(insert(dependencies), rows)
            after = {"items": _shown(await _standing(connection))}
            action = Action("dependencies.replaced", "dependencies", system_clock(), before, after)
            await record_change(connection, alerts_audit, who.by, action)
        return await list_dependencies(who)

    return router


async def _standing(connection: AsyncConnection) -> list[dict[str, Any]]:
    order = (dependencies.c.upstream, dependencies.c.downstream)
    rows = await connection.execute(select(dependencies).order_by(*order))
    return [dict(row._mapping) for row in rows]


def _shown(items: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """As the audit log shows them: who entered them is not what they say."""
    return [{name: one[name] for name in Dependency.model_fields} for one in items]


def _check(items: Sequence[Dependency]) -> None:
    edges = [Edge(item.upstream, item.downstream) for item in items]
    if len(set(edges)) < len(edges):
        detail = "a dependency is given twice"
        raise Problem(422, "Invalid request", detail, code="invalid_value", pointer="/items")
    found = cycle(edges)
    if found is not None:
        detail = f"the dependencies go round in a circle: {' → '.join(found)}"
        raise Problem(422, "Invalid request", detail, code="circle", pointer="/items")
