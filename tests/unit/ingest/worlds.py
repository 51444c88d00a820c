"""A small registry for tests of what enters it."""

from datetime import UTC, datetime

from services.ingest.border.intake import Intake, Taken
from services.ingest.border.judge import Rights
from services.ingest.registry.catalogue import default_catalogue, definitions
from services.ingest.registry.lookup import Registry
from services.ingest.registry.sensor import Sensor

NOW = datetime(2026, 5, 1, 8, 0, tzinfo=UTC)
MOMENT = "2026-05-01T15:59:00+08:00"


def registry() -> Registry:
    """`gauge-1` measures water.level and weather.rain; `old-1` is retired."""
    made = Registry(partitions=4)
    made.load(
        definitions(default_catalogue(), NOW),
        [
            Sensor(
                sensor_id="gauge-1",
                metrics=("water.level", "weather.rain"),
                area_id="441202",
                cell_id="87411",
                updated_at=NOW,
            ),
            Sensor(sensor_id="adrift-1", metrics=("water.level",), updated_at=NOW),
            Sensor(sensor_id="old-1", metrics=("water.level",), retired=True, updated_at=NOW),
        ],
        {"441202": "441200", "441200": None},
    )
    return made


async def take(body: bytes, *, max_items: int = 1000, rights: Rights | None = None) -> Taken:
    """`body` judged at `NOW`."""
    intake = Intake(registry(), lambda: NOW, max_items)
    return await intake.take(body, rights or Rights())
