"""The OpenAPI document: what FastAPI writes, and what holds for every route of every service."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from shared.web.problems import ProblemBody

_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_REFUSAL = {"description": "Refused: the body says what and where (RFC 9457)", "content": _PROBLEM}
_INVALID = {"description": "The request is not valid: `errors` says where", "content": _PROBLEM}
_SCHEMES = {
    "bearer": {
        "type": "http", "scheme": "bearer",
        "description": "An API key, a session's token (`POST /v1/session`) or a screen's token",
    },
}  # fmt: skip
# FastAPI's own answer, which is never given.
_SPENT = ("HTTPValidationError", "ValidationError")
_SPENT_CONTENT = {"application/json": {"schema": {"$ref": f"#/components/schemas/{_SPENT[0]}"}}}


def install(app: FastAPI) -> None:
    """Every operation says how it refuses; made once, when it is first asked for."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(title=app.title, version=app.version, routes=app.routes)
            app.openapi_schema = _completed(made)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def _completed(document: dict[str, Any]) -> dict[str, Any]:
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas["Problem"] = ProblemBody.model_json_schema()
    components["securitySchemes"] = _SCHEMES
    document["security"] = [{"bearer": []}, {}]
    for operations in document["paths"].values():
        for operation in operations.values():
            responses = operation["responses"]
            if responses.get("422", {}).get("content") == _SPENT_CONTENT:
                responses["422"] = _INVALID
            responses["default"] = _REFUSAL
    for name in _SPENT:
        schemas.pop(name, None)
    return document
