"""The compose file starts what production's shape starts (no container engine is needed here)."""

import json
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest
import yaml

from deploy.local.city import SERVICES, SUBSCRIBER

VENDORED = Path("builtin_schemas", "vendor")
COMPOSE = Path(__file__).parents[3] / "deploy" / "compose" / "compose.yaml"


def test_compose_starts_every_service_with_its_command() -> None:
    services = yaml.safe_load(COMPOSE.read_text())["services"]
    for name, command in (SERVICES | SUBSCRIBER).items():
        assert services[name]["command"] == list(command)
    others = {"kafka", "database", "setup", "front", "simulator", "mqtt", "watch"}
    assert set(services) - set(SERVICES) == others


def test_the_watch_goes_round_every_service() -> None:
    _, _, *processes = yaml.safe_load(COMPOSE.read_text())["services"]["watch"]["command"]
    assert processes == [f"{name}=http://{name}:8000" for name in SERVICES]


def test_each_service_has_its_own_database_role_and_no_other_address() -> None:
    services = yaml.safe_load(COMPOSE.read_text())["services"]
    for name, (module, *_) in (SERVICES | SUBSCRIBER).items():
        own = services[name]["environment"]
        role = module.removeprefix("services.")
        assert own["YIWANG_DATABASE_URL_FILE"] == f"/data/roles/{role}"
        assert "YIWANG_DATABASE_URL" not in own
    assert services["setup"]["environment"]["YIWANG_DATABASE_ROLES_DIR"] == "/data/roles"


def test_whatever_serves_is_watched_by_a_health_check() -> None:
    services = yaml.safe_load(COMPOSE.read_text())["services"]
    for name in {*SERVICES, "kafka", "database", "front"}:
        assert services[name]["healthcheck"]["test"], name


def test_whoever_is_waited_for_exists() -> None:
    services = yaml.safe_load(COMPOSE.read_text())["services"]
    for name, service in services.items():
        assert set(service.get("depends_on", {})) <= set(services), name


def test_the_image_does_not_run_as_root_and_copies_what_exists() -> None:
    services = yaml.safe_load(COMPOSE.read_text())["services"]
    dockerfile = services["gateway"]["build"]["dockerfile"]
    lines = (COMPOSE.parents[2] / dockerfile).read_text().splitlines()
    assert [line for line in lines if line.startswith("USER")] == ["USER 10001"]
    copied = [word for line in lines if line.startswith("COPY ") and "--from" not in line
              for word in line.split()[1:-1]]  # fmt: skip
    root = COMPOSE.parents[2]
    assert not [name for name in copied if not (root / name).exists()]


def test_compose_names_the_community_edition_and_kafka_4() -> None:
    services = yaml.safe_load(COMPOSE.read_text())["services"]
    assert services["database"]["image"].startswith("timescale/timescaledb:")
    assert services["kafka"]["image"].startswith("apache/kafka:4.")


def test_it_is_what_the_compose_specification_allows() -> None:
    schema = json.loads((files("check_jsonschema") / VENDORED / "compose-spec.json").read_text())
    jsonschema.Draft7Validator(schema).validate(yaml.safe_load(COMPOSE.read_text()))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft7Validator(schema).validate({"services": {"x": {"image": 7}}})


def test_nothing_but_the_databases_and_the_broker_may_write_to_its_image() -> None:
    services = yaml.safe_load(COMPOSE.read_text())["services"]
    for name in {*SERVICES, *SUBSCRIBER, "setup", "simulator"}:
        assert services[name]["read_only"] is True, name
        assert services[name]["tmpfs"] == ["/tmp"]
