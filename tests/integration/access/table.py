"""The table of `docs/access.md`: which route is for whom."""

import re
from pathlib import Path

TABLE = Path(__file__).parents[3] / "docs" / "access.md"
ROW = re.compile(r"^\| (?P<method>[A-Z]+) \| `(?P<path>/[^`]*)` \| (?P<who>[^|]+?) \|$", re.M)

ROLES = ("viewer", "operator", "dispatcher", "admin")
KEYS = ("post", "register", "mend", "report")  # keys, by their only scope
DISTRICT = "district"  # operator and dispatcher of one district
HANDLER = "handler"  # a viewer who works for a department
GUEST = "guest"  # an account without any grant
KNOWN = (GUEST, "screen", *(f"{scope} key" for scope in KEYS), DISTRICT, HANDLER, *ROLES)
ACTORS = ("nobody", *KNOWN)
WHO = {
    "public": frozenset(ACTORS),
    "anyone known": frozenset(KNOWN),
    "anyone": frozenset(KNOWN) - {GUEST},
    "people": frozenset({GUEST, DISTRICT, HANDLER, *ROLES}),
    "operator": frozenset({"operator", "dispatcher", "admin"}),
    "operator there": frozenset({DISTRICT, "operator", "dispatcher", "admin"}),
    "operator there, its department": frozenset(
        {DISTRICT, HANDLER, "operator", "dispatcher", "admin"}
    ),
    "dispatcher": frozenset({"dispatcher", "admin"}),
    "dispatcher there": frozenset({DISTRICT, "dispatcher", "admin"}),
    "admin": frozenset({"admin"}),
    "operator anywhere, keys": frozenset(
        {DISTRICT, *ROLES[1:], *(f"{scope} key" for scope in KEYS)}
    ),
    **{f"scope {scope}": frozenset({f"{scope} key", "admin"}) for scope in KEYS},
    **{f"key with {scope}": frozenset({f"{scope} key"}) for scope in KEYS},
    "neighbour": frozenset(ACTORS),  # whoever asks is judged by the signature
    "operator there, scope report": frozenset({DISTRICT, *ROLES[1:], "report key"}),
}


def table() -> dict[tuple[str, str], str]:
    """(method, path) → who."""
    return {
        (row["method"], row["path"]): row["who"]
        for row in ROW.finditer(TABLE.read_text(encoding="utf-8"))
    }
