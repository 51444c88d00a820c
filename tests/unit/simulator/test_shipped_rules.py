"""What the shipped rules say, judged by the platform itself: of a calm day nothing, of every
happening what it is about."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from services.alerts.rehearsal.stage import Stage
from services.alerts.rules import files
from services.simulator.places import Area, known_places
from services.simulator.population import Sensor, populate
from services.simulator.programme import Chosen
from services.simulator.scenarios import Kind, Run, Scale, plan
from services.simulator.world import World
from shared.clock import to_micros
from shared.contracts.reading import Reading
from tests.unit.simulator.conftest import ROOT, SEED
from tests.unit.simulator.test_scenarios import START

RAISED = {
    Kind.RAINSTORM: {"heavy-rain", "water-level-high", "water-level-rising", "drain-level-high"},
    Kind.CRASH: {"congestion", "road-blocked"},
    Kind.PIPE_BURST: {"water-pressure-low", "drain-level-high"},
    Kind.GAS_LEAK: {"gas-leak"},
    Kind.BLACKOUT: {"voltage-low"},
}
CALM_SECONDS = 1_500


@pytest.fixture(scope="module")
def few(areas: list[Area]) -> list[Sensor]:
    return populate(areas, known_places(), SEED, 150)


def said(sensors: Sequence[Sensor], run: Run | None, seconds: int) -> tuple[set[str], int]:
    """The rules that were raised, and how many alerts stand at the end."""
    rules, errors = files.load(Path(ROOT / "rules"))
    assert errors == []
    stage = Stage(rules, {sensor.sensor_id: frozenset({sensor.area_id}) for sensor in sensors})
    world = World(sensors, SEED, Chosen(run))
    for second in range(START, START + seconds):
        for sent in world.second(second):
            at_us = to_micros(sent.observed_at)
            stage.hear(Reading(sent.sensor_id, sent.metric, at_us, sent.value), at_us)
        stage.tick(second * 1_000_000)
    told = stage.said() + stage.combine()
    raised = [one for one in told if one.kind == "raised"]
    return {one.rule.id for one in raised}, len(raised) - sum(o.kind == "cleared" for o in told)


def test_of_a_calm_city_nothing(few: list[Sensor]) -> None:
    assert said(few, None, CALM_SECONDS) == (set(), 0)


@pytest.mark.parametrize("kind", list(Kind))
def test_of_every_happening_what_it_is_about(kind: Kind, few: list[Sensor]) -> None:
    run = plan(kind, Scale.GENTLE, few, SEED, START)
    assert said(few, run, run.duration + 120) == (RAISED[kind], 0)
