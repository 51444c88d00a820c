"""The reference of every key of a rule, as Markdown: `python -m services.alerts.rules.reference`.

docs/rules.md holds what this prints; a test compares them. Types and defaults come from the model.
"""

import sys
from collections.abc import Iterator, Mapping
from typing import Any

from services.alerts.rules.meanings import MEANINGS, PARTS
from services.alerts.rules.rule import Rule
from services.alerts.rules.scales import LONGEST_SECONDS

Schema = Mapping[str, Any]
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))


def tables() -> str:
    """A heading and a table for a rule and each of its parts."""
    schema = Rule.model_json_schema(by_alias=True)
    parts = schema["$defs"] | {"Rule": schema}
    return "\n".join(line for name in PARTS for line in _part(name, parts))


def keys() -> dict[str, set[str]]:
    """Part → its keys, as the model has them."""
    schema = Rule.model_json_schema(by_alias=True)
    parts = schema["$defs"] | {"Rule": schema}
    return {name: set(part["properties"]) for name, part in parts.items()}


def _part(name: str, parts: Mapping[str, Schema]) -> Iterator[str]:
    part = parts[name]
    inherited = set(parts["Condition"]["properties"]) if name == "Rule" else set()
    yield f"### {PARTS[name]}\n"
    yield "| key | value | default | meaning |"
    yield "|---|---|---|---|"
    for key, meaning in MEANINGS[name].items():
        field = part["properties"][key]
        needed = key in part.get("required", ())
        default = "needed" if needed else _default(field)
        yield f"| `{key}` | {_value(field)} | {default} | {meaning} |"
    if inherited:
        yield "| … | | | every key of a condition, below; just one kind of it |"
    yield ""


def _value(field: Schema) -> str:
    if "$ref" in field:
        return _named(field)
    if "anyOf" in field:
        return " or ".join(_value(one) for one in field["anyOf"] if one.get("type") != "null")
    if "enum" in field or "const" in field:
        return ", ".join(f"`{one}`" for one in field.get("enum", [field.get("const")]))
    match field.get("type"):
        case "array":
            return f"list of {_value(field['items'])}" + _most(field)
        case "integer" if field.get("maximum") == LONGEST_SECONDS:
            return "duration"
        case "integer":
            return f"whole number{_range(field)}"
        case "number":
            return f"number{_range(field)}"
        case "boolean":
            return "`true`, `false`"
    return "text"


def _named(field: Schema) -> str:
    name = field["$ref"].rpartition("/")[2]
    return f"[{name.lower()}](#{PARTS[name].lower().replace(' ', '-')})"


def _most(field: Schema) -> str:
    return f" (≤ {field['maxItems']:,})" if "maxItems" in field else ""


def _range(field: Schema) -> str:
    low, high = field.get("minimum"), field.get("maximum")
    above = field.get("exclusiveMinimum")
    if low is not None and high is not None:
        return f" {low:,}–{high:,}"
    if above is not None and high is not None:
        return f" > {above:g}, ≤ {high:g}"
    return f" ≥ {low:g}" if low is not None else ""


def _default(field: Schema) -> str:
    default = field.get("default")
    if default is None or default in ([], {}):
        return "—"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if _value(field) == "duration":
        return f"`{_duration(default)}`"
    if isinstance(default, dict):
        return ", ".join(f"`{key}: {_short(key, value)}`" for key, value in default.items())
    return f"`{default:g}`" if isinstance(default, float) else f"`{default}`"


def _short(key: str, value: object) -> object:
    return _duration(value) if key == "within" and isinstance(value, int) else value


def _duration(seconds: int) -> str:
    for size, unit in _UNITS:
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return "0s"


if __name__ == "__main__":
    sys.stdout.write(tables())
