"""A small city with made-up outlines, and the real one."""

from pathlib import Path

import pytest
import yaml
from shapely import box

from services.simulator.places import Area, known_places
from services.simulator.population import Sensor, populate

ROOT = Path(__file__).parents[3]
SEED = 7


@pytest.fixture(scope="session")
def areas() -> list[Area]:
    """Three districts side by side, two of them on a river."""
    return [
        Area("441202", "东区", box(112.38, 23.0, 112.55, 23.2)),
        Area("441226", "西区", box(111.7, 23.0, 112.2, 23.3)),
        Area("990050", "北区", box(112.0, 23.6, 112.3, 23.9)),
    ]


@pytest.fixture(scope="session")
def sensors(areas: list[Area]) -> list[Sensor]:
    return populate(areas, known_places(), SEED, 400)


@pytest.fixture(scope="session")
def rules() -> list[dict[str, object]]:
    """The rules that ship with the platform."""
    return [
        rule
        for path in sorted((ROOT / "rules").glob("*.yaml"))
        for rule in yaml.safe_load(path.read_text(encoding="utf-8"))
    ]
