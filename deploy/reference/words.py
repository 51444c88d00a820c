"""JSON Schema in words, for tables. Pure."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Schema = Mapping[str, Any]

_BOUNDS = (
    ("minimum", "≥ {}"), ("exclusiveMinimum", "> {}"), ("maximum", "≤ {}"),
    ("exclusiveMaximum", "< {}"), ("minLength", "at least {} characters"),
    ("maxLength", "at most {} characters"), ("minItems", "at least {}"), ("maxItems", "at most {}"),
)  # fmt: skip
_NAMES = {
    "string": "text", "integer": "whole number", "number": "number", "boolean": "true or false",
    "object": "object", "null": "null", "array": "list",
}  # fmt: skip


def type_of(schema: Schema, page: str) -> str:
    """What a value may be. `page`: where the named types are described, "" for the same page."""
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        return f"[{name}]({page}#{anchor(name)})"
    for union in ("anyOf", "oneOf", "allOf"):
        if union in schema:
            return " or ".join(dict.fromkeys(type_of(one, page) for one in schema[union]))
    if "const" in schema:
        return code(schema["const"])
    if "enum" in schema:
        return ", ".join(code(one) for one in schema["enum"])
    return _plain(schema, page)


def _plain(schema: Schema, page: str) -> str:
    kinds = schema.get("type")
    if isinstance(kinds, list):
        return " or ".join(_NAMES[one] for one in kinds)
    if kinds == "array":
        return _bounded(f"list of {_items(schema, page)}", schema)
    if kinds == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"map of {type_of(schema['additionalProperties'], page)}"
    if kinds is None:
        return "anything"
    words = _NAMES[kinds] + (f" ({schema['format']})" if "format" in schema else "")
    return _bounded(words, schema)


def _items(schema: Schema, page: str) -> str:
    if "prefixItems" in schema:
        return "(" + ", ".join(type_of(one, page) for one in schema["prefixItems"]) + ")"
    return type_of(schema.get("items") or {}, page)


def _bounded(words: str, schema: Schema) -> str:
    bounds = [say.format(schema[name]) for name, say in _BOUNDS if name in schema]
    if "pattern" in schema:
        bounds.append(code(schema["pattern"]))
    return ", ".join([words, *bounds])


def members(schema: Schema, page: str) -> Iterator[str]:
    """The table of an object's members; nothing for what is no object."""
    found = schema.get("properties") or {}
    if not found:
        return
    needed = schema.get("required") or ()
    rows = [
        [code(name), type_of(one, page), _default(one, name in needed), meaning(one)]
        for name, one in found.items()
    ]
    yield from table(("member", "value", "default", "meaning"), rows)
    yield ""


def _default(schema: Schema, needed: bool) -> str:
    if needed:
        return "needed"
    default = schema.get("default")
    return "" if default is None else code(default)


def meaning(schema: Schema) -> str:
    """Its description, and an example."""
    example = (schema.get("examples") or [None])[0]
    shown = "" if example is None else f"Such as {code(example)}"
    return " ".join(filter(None, (schema.get("description", ""), shown)))


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Columns that say nothing are left out."""
    kept = [at for at in range(len(head)) if at == 0 or any(row[at] for row in rows)]
    yield _row([head[at] for at in kept])
    yield "|" + "---|" * len(kept)
    for row in rows:
        yield _row([row[at] for at in kept])


def _row(cells: Sequence[str]) -> str:
    flat = (re.sub(r"\s+", " ", cell).strip().replace("|", "\\|") for cell in cells)
    return "| " + " | ".join(flat) + " |"


def code(value: object) -> str:
    """As one would write it in JSON, but for the quotes of a text."""
    return f"`{value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}`"


def prose(text: str) -> str:
    """A description below a heading: headings of its own are made bold."""
    return re.sub(r"^#+ +(.*)$", r"**\1**", text.strip(), flags=re.MULTILINE)


def anchor(heading: str) -> str:
    """Of a heading, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
