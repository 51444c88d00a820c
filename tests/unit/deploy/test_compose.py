"""The compose file starts what production's shape starts (no container engine is needed here)."""

from pathlib import Path

import yaml

from deploy.local.city import SERVICES

COMPOSE = Path(__file__).parents[3] / "deploy" / "compose" / "compose.yaml"


def test_compose_starts_every_service_with_its_command() -> None:
    services = yaml.safe_load(COMPOSE.read_text())["services"]
    for name, command in SERVICES.items():
        assert services[name]["command"] == list(command)
    assert set(services) - set(SERVICES) == {"kafka", "database", "setup", "front"}


def test_compose_names_the_community_edition_and_kafka_4() -> None:
    services = yaml.safe_load(COMPOSE.read_text())["services"]
    assert services["database"]["image"].startswith("timescale/timescaledb:")
    assert services["kafka"]["image"].startswith("apache/kafka:4.")
