"""The embedded database moves to another major version of PostgreSQL, with everything in it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from shared.errors import Misconfigured
from shared.store import embedded
from tests.product import ROOT, Product
from tests.waiting import until

SENSOR = "moved-1"
SECONDS = 60.0
INSTALLED = Path("/usr/lib/postgresql")


def services(folder: Path, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    own = {"YIWANG_DATA_DIR": str(folder)} | {
        f"YIWANG_{key}": value for key, value in settings.items()
    }
    command = [sys.executable, "-m", "services", *words]
    return subprocess.run(
        command, cwd=ROOT, env=os.environ | own, capture_output=True, text=True, check=False
    )


@pytest.fixture
def older(tmp_path: Path) -> Iterator[str]:
    """A cluster of another major version than the wheel's, as its own server serves it."""
    mine = embedded.wheel_programs()
    version = subprocess.run(
        [mine / "postgres", "--version"], capture_output=True, text=True, check=True
    )
    others = [
        each / "bin"
        for each in sorted(INSTALLED.glob("[0-9]*"))
        if (each / "bin" / "initdb").exists() and f" {each.name}." not in version.stdout
    ]
    if not others:
        pytest.skip(f"NO OTHER POSTGRESQL: none in {INSTALLED}")
    server = embedded.start(tmp_path / "old" / "postgres", embedded.Installed(others[-1]))
    yield server.url
    embedded.stop(server)


def stored(url: str) -> int:
    with psycopg.connect(url) as connection:
        query = "SELECT count(*) FROM ingest.readings WHERE sensor_id = %s"
        row = connection.execute(query, (SENSOR,)).fetchone()
        return int(row[0]) if row else 0


def post(product: Product) -> None:
    reading = {"sensor_id": SENSOR, "metric": "gas.concentration", "value": 61.5,
               "observed_at": datetime.now(UTC).isoformat()}  # fmt: skip
    with product.client() as client:
        answer = client.post("/v1/readings", json=reading)
    assert answer.status_code == 202, answer.text


def test_everything_moves_and_goes_on(tmp_path: Path, older: str) -> None:
    before = Product(tmp_path / "old", {"DATABASE_URL": older}).start()
    with before.client() as client:
        body = {"metrics": ["gas.concentration"], "location": {"lon": 112.48, "lat": 23.08}}
        assert client.put(f"/v1/sensors/{SENSOR}", json=body).is_success
    post(before)
    assert until(lambda: stored(older) == 1, SECONDS)
    before.stop()
    refused = services(tmp_path / "old")
    assert "was written by PostgreSQL" in refused.stderr
    assert "docs/deployment.md" in refused.stderr

    file, new = tmp_path / "city.dump", tmp_path / "new"
    done = services(tmp_path / "old", "dump", str(file), DATABASE_URL=older)
    assert done.returncode == 0, done.stderr
    assert file.stat().st_mode & 0o077 == 0
    done = services(new, "load", str(file))
    assert done.returncode == 0, done.stderr
    again = services(new, "load", str(file))
    assert (again.returncode, "nothing is overwritten" in again.stderr) == (1, True)

    shutil.copy(tmp_path / "old" / "credentials.json", new / "credentials.json")
    after = Product(new).start()
    try:
        url = after.database_url()
        assert stored(url) == 1
        post(after)  # by the first key, to the sensor that moved along
        assert until(lambda: stored(url) == 2, SECONDS)
    finally:
        after.stop()


def test_what_is_no_dump_leaves_nothing_behind(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.dump"
    wrong.write_text("this is no dump")
    done = services(tmp_path / "city", "load", str(wrong))
    assert done.returncode == 1
    assert "pg_restore" in done.stderr
    assert not (tmp_path / "city" / "postgres").exists()


def test_a_file_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    from services import moving

    there = tmp_path / "city.dump"
    there.write_text("of last week")
    with pytest.raises(Misconfigured, match="is there already"):
        moving.dump("postgresql://nobody@127.0.0.1:9/none", there)
    assert there.read_text() == "of last week"
