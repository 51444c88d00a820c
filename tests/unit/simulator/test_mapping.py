"""A mapping says what is wrong with it, and where."""

from pathlib import Path

import pytest

from services.ingest.registry.catalogue import default_catalogue
from services.simulator.mapping import BadMapping, load_mapping, parse_mapping
from tests.unit.simulator.conftest import ROOT

GOOD = """
title: Gauges
source: somewhere
time: {column: at, zone: "+08:00"}
sensor: {column: gauge, prefix: g-}
missing: ["", NA, -999]
columns:
  NO: {metric: air.no2, factor: 1e3, missing: [0]}
"""
SHIPPED = sorted((ROOT / "services" / "simulator" / "mappings").glob("*.yaml"))


def test_texts_stay_texts() -> None:
    mapping = parse_mapping(GOOD, "m.yaml")
    assert mapping.missing == ("", "NA", "-999")
    assert mapping.columns["NO"].missing == ("0",)
    assert mapping.columns["NO"].factor == 1000
    assert mapping.metrics == ("air.no2",)


@pytest.mark.parametrize(
    ("wrong", "right", "place", "says"),
    [
        ('zone: "+08:00"', "zone: Mars/Olympus", "m.yaml:4: time.zone", "IANA"),
        ("metric: air.no2", "metrics: air.no2", "m.yaml:8: columns.NO.metrics", "no such field"),
        ("metric: air.no2", "metric: NO2 (mg)", "m.yaml:8: columns.NO.metric", "pattern"),
        ("factor: 1e3", "factor: much", "m.yaml:8: columns.NO.factor", "number"),
        ("title: Gauges\n", "", "m.yaml:2: title", "required"),
        ("sensor: {column: gauge, prefix: g-}", "sensor: {}", "m.yaml:5: sensor", "exactly one"),
        ("prefix: g-", "prefix: g-, id: x", "m.yaml:5: sensor", "exactly one"),
        ("prefix: g-", "prefix: 'g '", "m.yaml:5: sensor.prefix", "pattern"),
        ("missing: [", "missing: [[", "m.yaml:7", "not YAML"),
        ("columns:\n  NO:", "columns:\n NO: {}\n  X:", "m.yaml:9", "not YAML"),
    ],
)
def test_a_mistake_is_named_with_line_and_field(
    wrong: str, right: str, place: str, says: str
) -> None:
    with pytest.raises(BadMapping) as caught:
        parse_mapping(GOOD.replace(wrong, right), "m.yaml")
    assert place in str(caught.value)
    assert says in str(caught.value)


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "just text", "\x00"])
def test_what_is_no_mapping_at_all_is_refused(text: str) -> None:
    with pytest.raises(BadMapping, match=r"m\.yaml"):
        parse_mapping(text, "m.yaml")


def test_a_mapping_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadMapping, match=r"nowhere\.yaml"):
        load_mapping(tmp_path / "nowhere.yaml")


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_mappings_speak_of_known_metrics(path: Path) -> None:
    assert set(load_mapping(path).metrics) <= set(default_catalogue())


def test_four_mappings_ship() -> None:
    names = {path.stem for path in SHIPPED}
    assert names >= {"beijing_air", "metr_la_week", "metro_interstate", "uk_grid"}
