"""What is wrong is named, with the way to mend it; what is well is said to be."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from deploy.migrations.upgrade import upgrade
from services import symptoms
from shared.clock import system_clock
from shared.contracts.topics import TOPICS
from shared.settings import Settings
from shared.store.embedded import free_port
from tests.conftest import drop_database, scratch_database
from tests.product import ROOT, Product

Findings = dict[str, dict[str, str]]


def doctor(folder: Path, **settings: str) -> tuple[int, Findings]:
    """As a person calls it; its findings by what they are about (of several, the last)."""
    own = {"DATA_DIR": str(folder), "PORT": str(free_port())} | settings
    environment = os.environ | {f"YIWANG_{name}": value for name, value in own.items()}
    command = [sys.executable, "-m", "services", "doctor", "--json"]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    return done.returncode, {one["what"]: one for one in map(json.loads, done.stdout.splitlines())}


@pytest.fixture
def scratch(database_server: str) -> Iterator[str]:
    name, url = scratch_database(database_server)
    yield url
    drop_database(database_server, name)


def test_a_running_city_is_well(tmp_path: Path) -> None:
    product = Product(tmp_path).start()
    try:
        code, found = doctor(tmp_path, PORT=str(product.port))
        with psycopg.connect(product.database_url(), autocommit=True) as connection:
            connection.execute("SELECT pg_create_physical_replication_slot('yiwang_backup', true)")
        stalled, later = doctor(tmp_path, PORT=str(product.port))
    finally:
        product.stop()
    assert code == 0, found
    assert found["port"]["said"] == f"Yiwang answers at 127.0.0.1:{product.port}"
    assert found["schema"]["state"] == found["clock"]["state"] == found["database"]["state"] == "ok"
    assert found["backup"]["state"] == "doubt"
    assert (stalled, later["backup"]["state"]) == (1, "bad")
    assert "pg_drop_replication_slot" in later["backup"]["mend"]


def test_parts_that_are_away_are_named_and_the_rest_is_looked_at(tmp_path: Path) -> None:
    away = f"127.0.0.1:{free_port()}"
    code, found = doctor(
        tmp_path, DATABASE_URL=f"postgresql://x@{away}/x", KAFKA_BOOTSTRAP=away,
        RULES_DIR=str(tmp_path / "none"), PROT="8000",
    )  # fmt: skip
    assert code == 1
    bad = {what for what, one in found.items() if one["state"] == "bad"}
    assert bad == {"database", "Kafka", "rules"}
    assert "YIWANG_DATABASE_URL" in found["database"]["mend"]
    assert "advertised.listeners" in found["Kafka"]["mend"]
    assert all(one["mend"] for one in found.values() if one["state"] != "ok")


def test_a_name_that_nobody_reads_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from services import doctor as told

    monkeypatch.setenv("YIWANG_PROT", "8000")
    monkeypatch.setenv("YIWANG_OIDC_CLIENT_SECRET_FILE", "/run/secret")
    assert [one.said for one in told.unknown_settings() if one.state == "doubt"] == [
        "nobody reads YIWANG_PROT"
    ]


def test_a_setting_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    code, found = doctor(tmp_path, PORT="http")
    assert code == 1
    assert found["settings"]["said"].startswith("YIWANG_PORT: ")


def test_a_port_of_somebody_else_is_told(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        code, found = doctor(tmp_path, PORT=str(taken.getsockname()[1]))
    assert (code, found["port"]["state"]) == (1, "bad")
    assert "YIWANG_PORT" in found["port"]["mend"]


def schema(url: str, folder: Path) -> dict[str, str]:
    return doctor(folder, DATABASE_URL=url)[1]["schema"]


def test_schemas_that_are_missing_old_or_of_a_newer_version(scratch: str, tmp_path: Path) -> None:
    assert schema(scratch, tmp_path)["said"] == "the database is empty"
    upgrade(scratch, "0018")
    old = schema(scratch, tmp_path)
    assert (old["state"], "services setup" in old["mend"]) == ("bad", True)
    upgrade(scratch)
    assert schema(scratch, tmp_path)["state"] == "ok"
    with psycopg.connect(scratch, autocommit=True) as connection:
        connection.execute("UPDATE schema_version SET version_num = '9999'")
    assert schema(scratch, tmp_path)["state"] == "doubt"


@pytest.mark.parametrize(("seconds", "state"), [(0, "ok"), (5, "doubt"), (-300, "bad")])
def test_a_clock_that_is_wrong_is_told(database_url: str, seconds: int, state: str) -> None:
    settings = Settings(database_url=database_url)
    clock = lambda: system_clock() + timedelta(seconds=seconds)  # noqa: E731
    found = {one.what: one for one in symptoms.database(settings, clock)}
    assert found["clock"].state == state, found["clock"]


def test_a_broker_that_answers(kafka_bootstrap: str) -> None:
    found = list(symptoms.event_log(Settings(kafka_bootstrap=kafka_bootstrap)))
    assert [one.what for one in found] == ["Kafka"]
    if found[0].state is not symptoms.State.OK:  # nobody has made the topics yet
        assert all(topic.name in found[0].said for topic in TOPICS)
