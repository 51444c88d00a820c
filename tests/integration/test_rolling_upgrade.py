"""The version before works on the newest schema, beside the new one: an upgrade may roll."""

import io
import subprocess
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psycopg
import pytest

from deploy.local.city import SERVICES
from tests.scratch import fresh_city
from tests.shape import ROOT, Shape
from tests.waiting import until

VERSIONS = "deploy/migrations/versions"
DIST = Path("services", "ops_center", "wall", "dist")
SECONDS = 60.0


def git(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=True).stdout


def newest(commit: str) -> str:
    """The last migration that a commit has."""
    names = git("ls-tree", "--name-only", commit, f"{VERSIONS}/").decode().split()
    return max((Path(name).name for name in names if Path(name).name[:4].isdigit()), default="")


def version_before() -> str:
    """The newest commit of the main line whose last migration is not today's. Skips where history
    does not go so far back."""
    try:
        today = max(path.name for path in (ROOT / VERSIONS).glob("[0-9]*.py"))
        commits = git("log", "--first-parent", "--format=%H", "--", VERSIONS).decode().split()
        tried = [f"{commit}~1" for commit in commits]
        found = next((commit for commit in tried if newest(commit) < today), None)
    except (OSError, subprocess.CalledProcessError, ValueError):
        found = None
    if found is None:
        pytest.skip("NO HISTORY: this clone does not know the version before")
    return found


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its code; the wall's pages are today's."""
    folder = tmp_path_factory.mktemp("older")
    packed = git(
        "archive", "--format=tar", version_before(), "shared", "services", "deploy", "rules"
    )
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")
    (folder / DIST).symlink_to(ROOT / DIST)
    return folder


@pytest.fixture(scope="module")
def both(
    tmp_path_factory: pytest.TempPathFactory,
    older: Path,
    database_server: str,
    kafka_bootstrap: str,
) -> Iterator[tuple[Shape, Shape]]:
    """(today's, the version before) on one database and one log, each whole."""
    folder = tmp_path_factory.mktemp("shape")
    with fresh_city(folder, database_server, kafka_bootstrap) as today:
        before = Shape(folder / "before", today.database_url, kafka_bootstrap, root=older)
        before.data_dir.mkdir()
        (before.data_dir / "roles").symlink_to(folder / "roles")
        try:
            for service in SERVICES:
                before.start(service)
            before.wait_ready()
            yield today, before
        finally:
            for service in list(before.running):
                before.end(service)


def poster(shape: Shape, today: Shape) -> httpx.Client:
    headers = {"Authorization": f"Bearer {today.credentials['api_key']}"}
    return httpx.Client(base_url=shape.url("gateway"), headers=headers, timeout=20)


def register(client: httpx.Client, sensor: str) -> None:
    body = {"metrics": ["gas.concentration"], "location": {"lon": 112.48, "lat": 23.08}}
    answer = client.put(f"/v1/sensors/{sensor}", json=body)
    assert answer.is_success, answer.text


def post(client: httpx.Client, sensor: str) -> None:
    reading = {
        "sensor_id": sensor, "metric": "gas.concentration", "value": 61.5,
        "observed_at": datetime.now(UTC).isoformat(),
    }  # fmt: skip
    assert until(lambda: client.post("/v1/readings", json=reading).status_code == 202, SECONDS)


def arrived(shape: Shape, sensor: str) -> bool:
    """Stored, and an incident is open."""
    with psycopg.connect(shape.database_url) as connection:
        row = connection.execute(
            "SELECT (SELECT count(*) FROM ingest.readings WHERE sensor_id = %(s)s) > 0 AND"
            " (SELECT count(*) FROM alerts.incidents WHERE %(s)s = ANY (subjects)) = 1",
            {"s": sensor},
        ).fetchone()
    return bool(row and row[0])


def test_both_versions_work_side_by_side_and_each_alone(both: tuple[Shape, Shape]) -> None:
    today, before = both
    for number, (registers, posts) in enumerate([(before, today), (today, before)]):
        sensor = f"rolling-{number}"
        with poster(registers, today) as client:
            register(client, sensor)
        with poster(posts, today) as client:
            post(client, sensor)
        assert until(lambda s=sensor: arrived(today, s), SECONDS), sensor  # type: ignore[misc]
    for service in SERVICES:  # the roll goes wrong: back to the version before
        today.end(service)
    with poster(before, today) as client:
        register(client, "rolling-back")
        post(client, "rolling-back")
    assert until(lambda: arrived(today, "rolling-back"), SECONDS)
    before.wait_ready()
