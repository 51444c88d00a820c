"""The examples of docs/history.md work as they stand there."""

import re
from pathlib import Path

import pytest
from sqlalchemy import insert

from shared.store.tables import metrics, sensors
from tests.integration.ops_center.conftest import Centre

DOCS = Path(__file__).parents[3] / "docs" / "history.md"
EXAMPLE = re.compile(
    r'^curl -H "Authorization: Bearer \$KEY"(?: -H "Accept: ([^"]+)")? "\$CITY([^"]+)"',
    re.MULTILINE,
)
EXAMPLES = EXAMPLE.findall(DOCS.read_text())


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == 6


@pytest.mark.parametrize(("accept", "path"), EXAMPLES)
async def test_an_example_is_answered(centre: Centre, accept: str, path: str) -> None:
    noise = {"metric": "noise.level", "domain": "environment", "unit": "dB", "name_zh": "",
             "name_en": "", "interval_seconds": 60}  # fmt: skip
    road = {"metrics": ["traffic.speed"], "lon": 112.4, "lat": 23.0, "area_id": "441202"}
    async with centre.engine.begin() as connection:
        await connection.execute(insert(metrics), noise)
        names = ("tr-441202-0001", "tr-441202-0002")
        await connection.execute(insert(sensors), [road | {"sensor_id": name} for name in names])
    async with centre.http(centre.screen_token) as http:
        answer = await http.get(path, headers={"Accept": accept or "*/*"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith(accept or "application/json")
