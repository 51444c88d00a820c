"""Changes of the registry, as the audit log keeps them. Pure."""

from collections.abc import Iterator, Mapping, Sequence

from services.ingest.registry.boundaries import Area
from services.ingest.registry.sensor import Sensor
from shared.store.audit import Action, changed

EACH_AT_MOST = 20  # sensors of one request that have a row each; more have one together
_NOISE = {"updated_at"}


def registered(before: Mapping[str, Sensor], made: Sequence[Sensor]) -> Iterator[Action]:
    """Sensors that were made or changed. `before`: as they were, of few."""
    if not made:
        return
    if len(made) > EACH_AT_MOST:
        after = {"count": len(made), "sensor_ids": [one.sensor_id for one in made]}
        yield Action("sensors.registered", "many", made[0].updated_at, None, after)
        return
    for one in made:
        known, now = before.get(one.sensor_id), one.model_dump(mode="json", exclude=_NOISE)
        was = None if known is None else known.model_dump(mode="json", exclude=_NOISE)
        if was == now:
            continue
        name = "sensor.made" if was is None else "sensor.changed"
        shown = (None, now) if was is None else changed(was, now)
        yield Action(name, one.sensor_id, one.updated_at, *shown)


def towns_replaced(wanted: Sequence[Area], gone: Sequence[str], moved: Sequence[Sensor]) -> Action:
    """An import of towns."""
    after = {
        "towns": [area.area_id for area in wanted], "removed": list(gone), "moved": len(moved),
    }  # fmt: skip
    return Action("areas.imported", "towns", after=after)
