"""Errors over HTTP: RFC 9457 problem+json, one shape for everything that goes wrong."""

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from shared.errors import Overloaded, Unavailable
from shared.metrics import HTTP_FAILED

_encode = msgspec.json.Encoder(enc_hook=str).encode
_log = logging.getLogger(__name__)


class ProblemBody(BaseModel):
    """RFC 9457, for the documentation of routes."""

    type: str
    title: str
    status: int
    detail: str
    code: str = ""


def documented(said: Mapping[int, str]) -> dict[int | str, dict[str, Any]]:
    """`responses` of a route: what each status says."""
    content = {"application/problem+json": {"schema": ProblemBody.model_json_schema()}}
    return {status: {"description": text, "content": content} for status, text in said.items()}


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """`responses` of a route that administers something with an id and a name."""
    said = {401: "Nobody is logged in", 403: "Not an administrator", 404: "No such one",
            409: "In use, revoked, or the name is taken", 422: "A field is wrong"}  # fmt: skip
    return documented({status: said[status] for status in statuses})


class Problem(Exception):
    """An answer that is not a success. `extra` members appear beside the standard ones."""

    def __init__(
        self,
        status: int,
        title: str,
        detail: str,
        *,
        code: str = "",
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.title = title
        self.detail = detail
        self.code = code
        self.headers = dict(headers or {})
        self.extra = extra

    def body(self) -> dict[str, Any]:
        """The members of the JSON object."""
        members = {
            "type": f"/problems/{self.code}" if self.code else "about:blank",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        }
        return members | ({"code": self.code} if self.code else {}) | self.extra


def invalid(wrong: Sequence[tuple[str, str, str]]) -> Problem:
    """422 with every (JSON pointer, detail, code) that is wrong; the first is said aloud."""
    errors = [{"pointer": where, "detail": text, "code": code} for where, text, code in wrong]
    detail = f"{wrong[0][0]}: {wrong[0][1]}"
    return Problem(422, "Invalid request", detail, code="invalid_request", errors=errors)


def encode(problem: Problem) -> bytes:
    """The problem as JSON."""
    return _encode(problem.body())


def problem_response(problem: Problem) -> Response:
    """The problem as `application/problem+json`."""
    return Response(
        encode(problem),
        status_code=problem.status,
        media_type="application/problem+json",
        headers=problem.headers,
    )


def from_error(error: Exception) -> Problem:
    """Any exception as a problem; what is not ours shows no internals."""
    match error:
        case Problem():
            return error
        case Overloaded():
            headers = {"Retry-After": str(error.retry_after_seconds)}
            return Problem(503, "Overloaded", str(error), code="overloaded", headers=headers)
        case Unavailable():
            return _unavailable()
        case RequestValidationError():
            return _validation(error)
        case HTTPException():
            title = HTTPStatus(error.status_code).phrase
            return Problem(error.status_code, title, str(error.detail), headers=error.headers)
        case PoolExhausted():
            return _unavailable()
        case DBAPIError() if _connection_lost(error):
            return _unavailable()
        case _:
            return Problem(500, "Internal error", "An unexpected error; it has been logged.")


def install(app: FastAPI) -> None:
    """Answer every error of `app` as a problem."""
    for kind in (
        Problem, Unavailable, RequestValidationError, HTTPException, DBAPIError, PoolExhausted
    ):  # fmt: skip
        app.add_exception_handler(kind, _answer)
    app.add_exception_handler(ClientDisconnect, _answer_nobody)
    app.add_exception_handler(Exception, _answer)


async def _answer(request: Request, error: Exception) -> Response:
    problem = from_error(error)
    if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        HTTP_FAILED.labels(str(problem.status)).inc()
    if problem.status == HTTPStatus.SERVICE_UNAVAILABLE:
        _log.warning("%s %s: %s", request.method, request.url.path, error)
    elif problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return problem_response(problem)


async def _answer_nobody(_request: Request, _error: Exception) -> Response:
    """The client hung up before its request was complete: no failure of ours."""
    return Response(status_code=HTTPStatus.BAD_REQUEST)


def _unavailable() -> Problem:
    detail = "A part of the platform does not answer now; repeat the request."
    return Problem(503, "Unavailable", detail, code="unavailable", headers={"Retry-After": "2"})


def _connection_lost(error: DBAPIError) -> bool:
    return error.connection_invalidated or type(error.orig).__name__ in (
        "OperationalError",
        "AdminShutdown",
        "CannotConnectNow",
    )


def _validation(error: RequestValidationError) -> Problem:
    errors = [
        {"pointer": _pointer(item["loc"]), "detail": item["msg"], "code": item["type"]}
        for item in error.errors()
    ]
    first = errors[0] if errors else {"pointer": "", "detail": "invalid request"}
    detail = f"{first['pointer'] or 'request'}: {first['detail']}"
    return Problem(422, "Invalid request", detail, code="invalid_request", errors=errors)


def _pointer(loc: tuple[Any, ...]) -> str:
    parts = loc[1:] if loc and loc[0] == "body" else loc
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in parts)
