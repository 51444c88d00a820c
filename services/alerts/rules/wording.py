"""What is wrong with a rule, in plain words and at its place. Pure."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from pydantic_core import ErrorDetails

_PLAIN = {
    "missing": "is missing",
    "bool_type": "is true or false",
    "string_type": "is text",
    "tuple_type": "is a list",
    "list_type": "is a list",
    "int_type": "is a whole number",
    "float_type": "is a number",
    "finite_number": "is a finite number",
    "model_type": "is a mapping of keys and values",
    "dict_type": "is a mapping of keys and values",
    "model_attributes_type": "is a mapping of keys and values",
}


def plain(error: ErrorDetails, keys: Iterable[str]) -> str:
    """The reason. `keys`: what a rule may hold, for a slip of the pen."""
    if error["type"] == "extra_forbidden":
        near = get_close_matches(str(error["loc"][-1]), list(keys), 1)
        return "is not known here" + (f"; is '{near[0]}' meant?" if near else "")
    return _PLAIN.get(error["type"]) or error["msg"].removeprefix("Value error, ")


def place_of(error: ErrorDetails) -> tuple[int | str, ...]:
    """Where it is wrong; a refusal of several keys together may name the one to look at."""
    key = error.get("ctx", {}).get("key")
    return (*error["loc"], key) if isinstance(key, str) else tuple(error["loc"])


def pointer(loc: tuple[Any, ...]) -> str:
    """A place as a JSON pointer."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in loc)
