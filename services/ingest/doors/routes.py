"""The other doors over HTTP: context brokers and SensorThings servers post here."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal, Protocol

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel

from services.ingest.border.intake import TooManyItems
from services.ingest.doors.charging import charged
from services.ingest.doors.entrance import Entered
from services.ingest.doors.examples import NGSI_LD, NGSI_V2, SENSORTHINGS
from services.ingest.doors.found import Adapted
from services.ingest.doors.mapping import DoorMapping, Names
from services.ingest.doors.ngsi import read_ngsi
from services.ingest.doors.sensorthings import read_sensorthings
from services.ingest.keys.quotas import Quotas
from services.ingest.requests import parsed
from shared.contracts.reading import Rejected
from shared.store.audit import By
from shared.web.auth import require_role, require_scope
from shared.web.identity import Identity
from shared.web.problems import Problem

Name = Literal["ngsi", "sensorthings", "mqtt"]
Poster = Annotated[Identity, Depends(require_scope("post"))]
Admin = Annotated[Identity, Depends(require_role("admin"))]
Operator = Annotated[Identity, Depends(require_role("operator"))]
Read = Callable[[Any, Names], Adapted]


class Entrance(Protocol):
    """See `entrance.Entrance`."""

    async def enter(self, adapted: Adapted, door: str, identity: Identity) -> Entered:
        """Durable, in the log or in quarantine, when it returns."""
        ...


class Mappings(Protocol):
    """See `mappings.Mappings`."""

    async def names(self, door: str) -> Names:
        """The door's mapping together with the catalogue."""
        ...

    async def mapping(self, door: str) -> DoorMapping:
        """As last put."""
        ...

    async def put(self, door: str, mapping: DoorMapping, actor: str, by: By) -> None:
        """Replace it."""
        ...


class DoorAnswer(BaseModel):
    """As for `POST /v1/readings`; what is rejected here lies in quarantine too, for nobody at the
    other end may read this. `ignored`: pointers to what is no reading (texts, places…)."""

    receipt: str | None
    accepted: int
    rejected: list[Rejected]
    ignored: list[str]


def doors_router(entrance: Entrance, mappings: Mappings, quotas: Quotas) -> APIRouter:
    """`/v1/doors/…`."""
    router = APIRouter(prefix="/v1/doors", tags=["doors"])

    async def enter(
        request: Request, identity: Identity, format_: str, mapping: str, read: Read
    ) -> DoorAnswer:
        body = await request.body()
        with charged(quotas, identity, len(body)) as charge:
            adapted = read(_json(body), await mappings.names(mapping))
            charge(len(adapted), 0)
            try:
                entered = await entrance.enter(adapted, format_, identity)
            except TooManyItems as error:
                detail = f"At most {error.limit} readings at once."
                raise Problem(413, "Too many readings", detail, code="too_large") from None
        return _answer(adapted, entered)

    @router.post("/ngsi-ld", status_code=202, openapi_extra=_body(NGSI_LD))
    async def ngsi_ld(request: Request, poster: Poster) -> DoorAnswer:
        """A notification of an NGSI-LD context broker, normalised or simplified. Subscribe with
        this address as `endpoint.uri` and the key in `receiverInfo`."""
        return await enter(request, poster, "ngsi-ld", "ngsi", read_ngsi)

    @router.post("/ngsi-v2", status_code=202, openapi_extra=_body(NGSI_V2))
    async def ngsi_v2(request: Request, poster: Poster) -> DoorAnswer:
        """A notification of an NGSI-v2 context broker, normalised or key-values. Subscribe with
        `httpCustom` and the key in its `headers`."""
        return await enter(request, poster, "ngsi-v2", "ngsi", read_ngsi)

    @router.post("/sensorthings", status_code=201, openapi_extra=_body(SENSORTHINGS))
    @router.post("/sensorthings/Observations", status_code=201, openapi_extra=_body(SENSORTHINGS))
    @router.post(
        "/sensorthings/CreateObservations", status_code=201, openapi_extra=_body(SENSORTHINGS)
    )
    async def sensorthings(request: Request, poster: Poster) -> DoorAnswer:
        """Observations of OGC SensorThings: one, an array, or data arrays."""
        return await enter(request, poster, "sensorthings", "sensorthings", read_sensorthings)

    @router.post("/sensorthings/Datastreams({datastream})/Observations", status_code=201)
    async def datastream_observations(
        datastream: str, request: Request, poster: Poster
    ) -> DoorAnswer:
        """Observations of the Datastream that the path names."""

        def read(payload: Any, names: Names) -> Adapted:
            return read_sensorthings(payload, names, datastream.strip("'"))

        return await enter(request, poster, "sensorthings", "sensorthings", read)

    _add_mappings(router, mappings)
    return router


def _add_mappings(router: APIRouter, mappings: Mappings) -> None:
    @router.get("/{door}/mapping")
    async def read_mapping(door: Name, _: Operator) -> DoorMapping:
        """Whose names mean what at this door; `ngsi` is both versions."""
        return await mappings.mapping(door)

    @router.put("/{door}/mapping")
    async def put_mapping(door: Name, mapping: DoorMapping, admin: Admin) -> DoorMapping:
        """Replace it. What was set aside for want of it can be replayed a few seconds later."""
        await mappings.put(door, mapping, admin.name, admin.by)
        return mapping


def _json(body: bytes) -> Any:
    try:
        return parsed(body)
    except ValueError as error:
        detail = f"The body is not JSON: {error}."[:300]
        raise Problem(400, "Malformed JSON", detail, code="malformed") from None


def _answer(adapted: Adapted, entered: Entered) -> DoorAnswer:
    rejected = [
        Rejected(index=one.index, pointer=one.pointer, code=one.code, detail=one.detail)
        for one in entered.refused
    ]
    return DoorAnswer(
        receipt=entered.receipt,
        accepted=entered.accepted,
        rejected=rejected,
        ignored=list(adapted.ignored),
    )


def _body(examples: dict[str, Any]) -> dict[str, Any]:
    content = {"application/json": {"schema": {}, "examples": examples}}
    return {"requestBody": {"required": True, "content": content}}


Reader = Callable[[Any], Awaitable[Adapted]]


def readers(mappings: Mappings) -> dict[str, Reader]:
    """Format → what reads an item of the quarantine that came in it."""

    async def ngsi(item: Any) -> Adapted:
        return read_ngsi(item, await mappings.names("ngsi"))

    async def observation(item: Any) -> Adapted:
        return read_sensorthings(item, await mappings.names("sensorthings"))

    return {"ngsi-ld": ngsi, "ngsi-v2": ngsi, "sensorthings": observation}
