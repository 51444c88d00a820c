"""Values for requests as an OpenAPI document describes them: right ones, nearly right, and wild."""

from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

Schema = Mapping[str, Any]

MOMENTS = (
    "2026-05-01T08:00:00+08:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-05-01",
    "2026-02-30T00:00:00Z",
)  # fmt: skip
NASTY = (
    "", " ", "\x00", "a\x00b", "\ud800", "💧水位", "'; DROP TABLE alerts.rules; --", "../..", "%00",
    "x" * 5_000, "NaN", "1e400", "-1", "null", "*",
)  # fmt: skip
WORDS = st.sampled_from(NASTY) | st.text(max_size=20)
NUMBERS = st.sampled_from((0, -1, 1, 2**31, 2**63, 2**64, -(2**63), 10**30, 1.5, 1e308, -1e308))
WILD = st.recursive(
    st.none() | st.booleans() | NUMBERS | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)


def values(schema: Schema, components: Mapping[str, Schema]) -> st.SearchStrategy[Any]:
    """Mostly what the schema allows; one in eight is anything."""
    return st.integers(0, 7).flatmap(lambda n: WILD if n == 0 else _allowed(schema, components))


def _allowed(schema: Schema, components: Mapping[str, Schema]) -> st.SearchStrategy[Any]:
    if "$ref" in schema:
        return _allowed(components[schema["$ref"].rpartition("/")[2]], components)
    for key in ("anyOf", "oneOf", "allOf"):
        if key in schema:
            return st.one_of([_allowed(one, components) for one in schema[key]])
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(list(schema["enum"]))
    match schema.get("type"):
        case "string":
            return _text(schema)
        case "integer":
            low, high = int(schema.get("minimum", -5)), int(schema.get("maximum", 500))
            return st.integers(low, max(low, high)) | NUMBERS
        case "number":
            return st.floats(allow_nan=False, allow_infinity=False) | NUMBERS
        case "boolean":
            return st.booleans()
        case "null":
            return st.none()
        case "array":
            return st.lists(values(schema.get("items", {}), components), max_size=4)
        case "object":
            return _object(schema, components)
    return WILD


def _text(schema: Schema) -> st.SearchStrategy[str]:
    match schema.get("format"):
        case "uuid":
            return st.uuids().map(str)
        case "date-time" | "date":
            return st.sampled_from(MOMENTS)
    if "pattern" in schema:
        fitting: st.SearchStrategy[str] = st.from_regex(str(schema["pattern"]), fullmatch=True)
        return fitting | WORDS
    return WORDS


def _object(schema: Schema, components: Mapping[str, Schema]) -> st.SearchStrategy[Any]:
    needed: Sequence[str] = schema.get("required", ())
    properties = {
        name: values(inner, components) for name, inner in schema.get("properties", {}).items()
    }
    if not properties:
        return st.dictionaries(WORDS, WILD, max_size=3)
    return st.fixed_dictionaries(
        {name: one for name, one in properties.items() if name in needed},
        optional={name: one for name, one in properties.items() if name not in needed},
    )
