"""The declaration that is in force, from its files."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from shared.disclosure.declaration import Declaration, declared, overlaid
from shared.errors import Misconfigured

_SHIPPED = Path(__file__).with_name("declaration.yaml")


@lru_cache(maxsize=4)
def declaration(own: Path | None = None) -> Declaration:
    """What the platform ships, and the city's `own` file over it. Raises `Misconfigured`."""
    shipped = declared(_read(_SHIPPED))
    return shipped if own is None else overlaid(shipped, _read(own))


def _read(path: Path) -> dict[str, Any]:
    try:
        said = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise Misconfigured(f"disclosure: {path}: {error}") from error
    if not isinstance(said, dict):
        raise Misconfigured(f"disclosure: {path}: a mapping is expected")
    return said
