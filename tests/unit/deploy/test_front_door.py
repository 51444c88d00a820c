"""The front door sends every route to the service that has it."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PREFIX = re.compile(r'prefix="(/v1[^"]*)"')
PATH = re.compile(r'@\w+\.(?:get|put|post|patch|delete)\(\s*"(/[^"]*)"|@\w+\.\w+\(\s*""')
DOOR = (ROOT / "deploy" / "local" / "Caddyfile").read_text()


def patterns(service: str) -> set[str]:
    """What the door must know of a service: its paths, with `/*` where more may follow."""
    found = set()
    for file in (ROOT / "services" / service).rglob("*routes*.py"):
        text = file.read_text()
        prefix = PREFIX.search(text)
        for path in PATH.findall(text):
            whole = path if path.startswith("/v1") else (prefix[1] if prefix else "") + path
            name = "/".join(whole.split("/")[:3])
            found.add(name if whole == name else f"{name}/*")
    return found


@pytest.mark.parametrize("service", ["ingest", "alerts"])
def test_every_route_has_its_service(service: str) -> None:
    matched = re.search(rf"@{service} path (.*)", DOOR)
    assert matched is not None
    assert len(patterns(service)) >= 10
    assert patterns(service) <= set(matched[1].split())
