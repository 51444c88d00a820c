"""The first start: seeds the registry, makes the first key, screen token and login, keeps them."""

import json
import os
import sys
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.keys.first import ensure_first_key
from services.ingest.registry.seed import seed
from services.ops_center.accounts import ensure_first_login, ensure_screen_token
from shared.settings import Settings
from shared.store.engine import make_engine


async def prepare(settings: Settings, database_url: str) -> None:
    """Everything a first start does; harmless on every further one.

    Two databases may stand behind one data directory (`make run`, `make city`): the second one
    learns what the first one's credentials are, so that the file holds for both.
    """
    known = load(settings.credentials_path)
    engine = make_engine(database_url, pool_size=2)
    try:
        await seed(engine, settings)
        made = await _make_missing(engine, known)
    finally:
        await engine.dispose()
    new = {name: value for name, value in made.items() if known.get(name) != value}
    if new:
        keep(settings.credentials_path, new)
        print(announcement(settings.credentials_path, new), flush=True)


async def _make_missing(engine: AsyncEngine, known: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if (key := await ensure_first_key(engine, known.get("api_key"))) is not None:
        made["api_key"] = key
    if (token := await ensure_screen_token(engine, known.get("screen_token"))) is not None:
        made["screen_token"] = token
    password = known.get("admin", {}).get("password")
    if (login := await ensure_first_login(engine, password)) is not None:
        made["admin"] = {"username": login[0], "password": login[1]}
    return made


def keep(path: Path, made: dict[str, Any]) -> None:
    """Merge into the file of credentials, readable by its owner only."""
    known = load(path) | made
    partial = path.with_suffix(".partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(known, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def load(path: Path) -> dict[str, Any]:
    """What the first start kept; empty if it is gone."""
    if not path.exists():
        return {}
    known: dict[str, Any] = json.loads(path.read_text())
    return known


def at_a_terminal() -> bool:
    """Whether a person reads what is printed; elsewhere it is kept as a log."""
    return sys.stdout.isatty()


def wall_query(path: Path) -> str:
    """`?token=…` for a person at a terminal; else ""."""
    return f"?token={load(path).get('screen_token', '')}" if at_a_terminal() else ""


def announcement(path: Path, made: dict[str, Any]) -> str:
    """What a person is told once; a log is told only where it is kept."""
    if not at_a_terminal():
        return f"  First start: the first key, screen token and login are in {path} (mode 600)"
    lines = ["", f"  First start: these are shown once and kept in {path} (mode 600)"]
    if "api_key" in made:
        lines.append(f"    posting key   {made['api_key']}")
    if "admin" in made:
        admin = made["admin"]
        lines.append(f"    console login {admin['username']} / {admin['password']}")
    return "\n".join([*lines, ""])
