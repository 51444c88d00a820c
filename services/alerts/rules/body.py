"""A rule as the body of a request: JSON or YAML."""

import json
from collections.abc import Mapping, Set
from typing import Any

from fastapi import Request

from services.alerts.rules.files import Found, RuleError, parse_one
from shared.web.limit import read_at_most
from shared.web.problems import Problem

MAX_BYTES = 64 * 1024
YAML = ("application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml")

EXAMPLE: dict[str, Any] = {
    "id": "river-high",
    "title": {"zh": "河道水位高", "en": "River high"},
    "metric": "water.level",
    "above": 8,
    "deadband": 0.5,
    "for": "60s",
    "grade": 3,
    "priority": 2,
}
_YAML_EXAMPLE = """id: river-high
title: {zh: 河道水位高, en: River high}
metric: water.level
above: 8
deadband: 0.5
for: 60s
grade: 3
priority: 2
"""
REQUEST: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "One rule; docs/rules.md explains every key.",
        "content": {
            "application/json": {"schema": {"type": "object"}, "example": EXAMPLE},
            "application/yaml": {"schema": {"type": "string"}, "example": _YAML_EXAMPLE},
        },
    }
}


async def read_text(request: Request) -> tuple[str, bool]:
    """(the body, whether it is JSON). `Problem` 413, 415 or 422."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    is_json = kind == "application/json" or kind.endswith("+json")
    if not is_json and kind not in YAML:
        raise Problem(
            415, "Unsupported media type",
            "a rule is sent as application/json or application/yaml", code="media_type",
        )  # fmt: skip
    raw = await read_at_most(request, MAX_BYTES)
    try:
        return raw.decode(), is_json
    except UnicodeDecodeError as error:
        raise refused(RuleError("body", 1, f"not UTF-8: {error.reason}"), is_json) from None


def to_json(document: Mapping[str, Any]) -> str:
    """A rule that came inside a larger body, as the body of a request of its own."""
    return json.dumps(document)


def parsed(text: str, is_json: bool, metrics: Set[str] = frozenset()) -> Found:
    """The rule; `Problem` 422 says what is wrong, and where. `metrics`: see `files.parse`."""
    outcome = parse_one(text, "body", is_json=is_json, metrics=metrics)
    if isinstance(outcome, RuleError):
        raise refused(outcome, is_json)
    return outcome


def refused(error: RuleError, is_json: bool) -> Problem:
    """422. A mapping in JSON has no line, but a pointer."""
    has_line = not (is_json and error.pointer)
    place: dict[str, Any] = {"pointer": error.pointer} | ({"line": error.line} if has_line else {})
    return Problem(422, "Invalid rule", error.detail, code="invalid_rule", **place)
