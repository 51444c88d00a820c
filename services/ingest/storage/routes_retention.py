"""`/v1/retention`: how long readings and rollups are kept."""

from typing import Annotated, Protocol

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, Field

from services.ingest.storage.classes import STANDARD, KeptClass, Periods, UnknownMetrics
from shared.store.audit import By
from shared.web.auth import require_role
from shared.web.identity import Identity
from shared.web.problems import Problem

Admin = Annotated[Identity, Depends(require_role("admin"))]
Name = Annotated[str, Path(pattern="^[a-z][a-z0-9_-]{0,30}$")]


class Shelf(Protocol):
    """See `classes.Classes`."""

    async def all(self) -> list[KeptClass]:
        """By name."""
        ...

    async def save(self, name: str, periods: Periods, codes: tuple[str, ...], by: By) -> None:
        """Make or replace."""
        ...


class ClassPut(Periods):
    """The body of a `PUT`: the periods, and the metrics of the class."""

    metrics: Annotated[tuple[str, ...], Field(max_length=1_000)] = ()


class ClassList(BaseModel):
    """Every class."""

    items: list[KeptClass]
    next: None = None


def retention_router(shelf: Shelf) -> APIRouter:
    """Read by everybody; changed by administrators."""
    router = APIRouter(tags=["storage"])

    @router.get("/v1/retention", dependencies=[Depends(require_role("viewer"))])
    async def list_classes() -> ClassList:
        """How many days each class of metrics is kept: readings, then rollups of each width.

        null: for ever. Metrics that no class names are of the class `standard`.
        """
        return ClassList(items=await shelf.all())

    @router.put("/v1/retention/{name}")
    async def put_class(admin: Admin, name: Name, body: ClassPut) -> KeptClass:
        """Make or replace a class. What is older than its periods is dropped within the hour."""
        if name == STANDARD and body.metrics:
            detail = "/metrics: `standard` has every metric that no other class names"
            raise Problem(422, "Invalid request", detail, code="invalid_request")
        try:
            await shelf.save(name, body, body.metrics, admin.by)
        except UnknownMetrics as error:
            raise Problem(
                422, "Invalid request", f"/metrics: {error}", code="invalid_request"
            ) from None
        return next(each for each in await shelf.all() if each.name == name)

    return router
