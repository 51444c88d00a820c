"""`POST /v1/readings` in the API's documentation: every format with an example to paste."""

import json
from typing import Any

from shared.contracts.reading import BatchAnswer, ReadingIn, StreamAnswer

_ONE = {
    "sensor_id": "gauge-1",
    "metric": "water.level",
    "observed_at": "2026-05-01T08:00:00+08:00",
    "value": 3.2,
}
_TWO = _ONE | {"observed_at": "2026-05-01T08:01:00+08:00", "value": 3.3, "quality": "suspect"}
_EVENT = {
    "specversion": "1.0",
    "type": "city.reading",
    "source": "/waterworks/xijiang",
    "id": "A-1",
    "data": _ONE,
}
_PROBLEMS = {
    400: "The body is no JSON, not packed as it says, or a header is wrong; `position`: the byte",
    401: "No valid API key",
    403: "The key has no scope `post`",
    408: "The body did not arrive in time",
    409: "The first request with this `Idempotency-Key` is still under way; see `Retry-After`",
    413: "Too many readings or bytes; send less at once, or a stream",
    415: "A format or coding that is not taken; see `Accept-Post` and `Accept-Encoding`",
    429: "The key's quota is used up; see `Retry-After`",
    503: "Overloaded, or a part is away; see `Retry-After`, then repeat: it is safe",
}
_CURL = """One reading or many; 202 once they are durable, with a verdict per item.

```sh
curl $URL/v1/readings -H "Authorization: Bearer $KEY" -H 'Content-Type: application/json' \\
  -d '{"sensor_id": "gauge-1", "metric": "water.level",
       "observed_at": "2026-05-01T08:00:00+08:00", "value": 3.2}'
curl $URL/v1/readings -H "Authorization: Bearer $KEY" -H 'Content-Type: application/x-ndjson' \\
  -H 'Content-Encoding: gzip' --data-binary @readings.ndjson.gz
curl $URL/v1/readings -H "Authorization: Bearer $KEY" -H 'Content-Type: application/json' \\
  -H 'ce-specversion: 1.0' -H 'ce-type: city.reading' -H 'ce-source: /waterworks' -H 'ce-id: A-1' \\
  -d @reading.json
```

The same (sensor, metric, observed_at) with the same value changes nothing, so repeating a request
is always safe. NDJSON is read as a stream of any length and answered once, at its end. The topics
and the live socket are described in [/asyncapi.json](/asyncapi.json).
"""


def post_route() -> dict[str, Any]:
    """What FastAPI is told of the route."""
    return {
        "status_code": 202,
        "summary": "Post readings",
        "description": _CURL,
        "response_model": BatchAnswer | StreamAnswer,
        "responses": {
            422: {"model": BatchAnswer, "description": "Nothing was accepted"},
            **{status: _problem(text) for status, text in _PROBLEMS.items()},
        },
        "openapi_extra": _request(),
    }


def _problem(description: str) -> dict[str, Any]:
    schema = {
        "type": "object",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "code": {"type": "string"},
        },
    }
    return {
        "description": description,
        "content": {"application/problem+json": {"schema": schema}},
    }


def _request() -> dict[str, Any]:
    one = ReadingIn.model_json_schema(ref_template="#/components/schemas/{model}")
    one["properties"]["quality"] = one.pop("$defs", {}).get("Quality", {}) | {"default": "good"}
    some = {"oneOf": [one, {"type": "array", "items": one, "minItems": 1}]}
    event = {
        "type": "object",
        "required": ["specversion", "type", "source", "id"],
        "properties": {
            "specversion": {"const": "1.0"},
            **{name: {"type": "string", "minLength": 1} for name in ("type", "source", "id")},
            "data": some,
            "data_base64": {"type": "string"},
        },
    }
    content = {
        "application/json": {
            "schema": some,
            "examples": {"one": {"value": _ONE}, "array": {"value": [_ONE, _TWO]}},
        },
        "application/x-ndjson": {
            "schema": {"type": "string"},
            "example": "".join(json.dumps(reading) + "\n" for reading in (_ONE, _TWO)),
        },
        "application/cloudevents+json": {"schema": event, "example": _EVENT},
        "application/cloudevents-batch+json": {
            "schema": {"type": "array", "items": event, "minItems": 1},
            "example": [_EVENT],
        },
    }
    return {
        "requestBody": {"required": True, "content": content},
        "parameters": [
            _header("Idempotency-Key", "A repeat within a day gets the same answer"),
            _header("Content-Encoding", "How the body is packed", enum=["gzip", "zstd"]),
            *(
                _header(f"ce-{name}", "Of a CloudEvent in binary mode")
                for name in ("specversion", "type", "source", "id")
            ),
        ],
        "security": [{"Bearer": []}],
    }


def _header(name: str, description: str, **schema: Any) -> dict[str, Any]:
    return {
        "name": name,
        "in": "header",
        "required": False,
        "description": description,
        "schema": {"type": "string", **schema},
    }
