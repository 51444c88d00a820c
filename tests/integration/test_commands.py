"""Every command in the documents is run, or stands here with the reason why it is not.

A block ```` ```sh 200 404 ```` is run and its requests answer that; those of the pages in
`test_documents.PAGES` are run there. One without numbers is run too, and ends well, unless
`ELSEWHERE` says where else it is tried. The blocks of a page are one shell's, in their order.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.e2e.screens import steward
from tests.integration.test_documents import PAGES as ELSEWHERE_RUN
from tests.integration.test_documents import make_curl
from tests.product import ROOT, Product

FENCED = re.compile(r"^```sh([ \d]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
BLOCKS: Mapping[str, list[tuple[str, str]]] = {
    path.relative_to(ROOT).as_posix(): FENCED.findall(path.read_text(encoding="utf-8"))
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
}
# (page, how the block begins): where it is tried instead, or why nowhere.
ELSEWHERE = {
    ("README.md", "make run"): "test_first_start.py; the whole suite",
    ("README.md", "make city"): "test_local_parts.py; it ends with Ctrl-C",
    ("docs/backup.md", "python -m deploy.local"): "tests/chaos/test_restore.py",
    ("docs/chaos.md", "make chaos"): "tests/chaos runs a short one; these take up to an hour",
    ("docs/contributing.md", "make check"): "the suite itself",
    ("docs/deployment.md", "make image"): "test_image.py, where Docker or Podman is",
    ("docs/doors.md", "curl -X POST $BROKER/ngsi-ld"): "asks somebody else's broker",
    ("docs/doors.md", "curl -X POST $BROKER/v2"): "asks somebody else's broker",
    ("docs/doors.md", "export YIWANG_MQTT_URL"): "test_mqtt.py; the address of a broker",
    ("docs/federation.md", "curl -X POST https://zhaoqing"): "e2e/test_federation.py; two cities",
    ("docs/federation.md", "curl -X POST https://guangzhou"): "e2e/test_federation.py; two cities",
    ("docs/live.md", "python examples/live.py"): "ops_center/test_examples.py; endless",
    ("docs/simulator.md", "python -m services.simulator city"): "test_simulator.py; endless",
    ("docs/simulator.md", "python -m services.simulator replay"): "test_production_shape.py; data",
}

SENSORS = "sensor_id,name,metrics,lon,lat\ndoc-1,西江 3 号,water.level,112.47,23.05\n"
START_SECONDS = 180.0  # of a machine that does much else
RULE = """id: river-warning
title: {zh: 水位高, en: River high}
metric: water.level
above: 8
grade: 3
priority: 2
"""


def elsewhere(page: str, code: str) -> str | None:
    """The reason why a block is not run here."""
    reasons = [why for (of, head), why in ELSEWHERE.items() if of == page and code.startswith(head)]
    return reasons[0] if reasons else None


def runnable(page: str) -> list[tuple[list[str], str]]:
    """Statuses and commands of the blocks that are run here."""
    return [
        (numbers.split(), code) for numbers, code in BLOCKS[page] if elsewhere(page, code) is None
    ]


HERE = [
    page for page in BLOCKS if page.removeprefix("docs/") not in ELSEWHERE_RUN and runnable(page)
]


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    made = Product(tmp_path_factory.mktemp("city")).start(START_SECONDS)
    readings = [
        {"sensor_id": "tr-441202-0001", "metric": "traffic.speed", "value": 40.0,
         "observed_at": datetime.now(UTC).isoformat()}
    ]  # fmt: skip
    with made.client() as client:
        assert client.post("/v1/readings", json=readings).status_code == 202
        gauge = {"metrics": ["water.level"], "location": {"lon": 112.47, "lat": 23.05}}
        client.put("/v1/sensors/gauge-0001", json=gauge).raise_for_status()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, product: Product) -> Path:
    """A folder that looks like the project's, with the product's data in it."""
    folder = tmp_path_factory.mktemp("place")
    for name in ("services", "shared", "deploy", "rules", "examples"):
        (folder / name).symlink_to(ROOT / name)
    (folder / ".data").symlink_to(product.data_dir)
    (folder / "sensors.csv").write_text(SENSORS)
    (folder / "river-warning.yaml").write_text(RULE)
    return folder


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory, product: Product) -> dict[str, str]:
    programs = make_curl(tmp_path_factory.mktemp("bin"))
    tools = Path(sys.executable).parent
    admin = product.credentials["admin"]
    token = steward(product).client.headers["Authorization"].removeprefix("Bearer ")
    own = {
        "PATH": f"{programs}:{tools}:{os.environ['PATH']}", "REAL_PATH": os.environ["PATH"],
        "URL": product.url, "CITY": product.url, "KEY": product.credentials["api_key"],
        "TOKEN": token, "ADMIN": token, "PASSWORD": admin["password"],
        "PYTHONPATH": str(ROOT), "YIWANG_DATABASE_URL": product.database_url(),
        "YIWANG_PORT": str(product.port),
    }  # fmt: skip
    return dict(os.environ) | own


@pytest.mark.parametrize("page", HERE)
def test_every_command_of_a_page_does_what_it_says(
    page: str, product: Product, place: Path, environment: dict[str, str]
) -> None:
    blocks = runnable(page)
    script = "\n".join(f"{code}\necho 'BLOCK-ENDS' >&2" for _, code in blocks)
    script = script.replace("http://127.0.0.1:8000", product.url)
    done = subprocess.run(
        ["bash", "-euc", script], cwd=place, env=environment, capture_output=True, text=True,
        timeout=300, check=False,
    )  # fmt: skip
    ended = done.stderr.split("BLOCK-ENDS")[:-1]
    statuses = [re.findall(r"STATUS=(\d+)", said) for said in ended]
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    assert statuses == [numbers for numbers, _ in blocks], done.stderr[-1000:]


def test_whatever_is_not_run_is_still_there() -> None:
    for page, head in ELSEWHERE:
        assert any(code.startswith(head) for _, code in BLOCKS[page]), (page, head)


def test_commands_stand_in_blocks_that_are_looked_at() -> None:
    """No other fence hides a command."""
    for page in BLOCKS:
        text = (ROOT / page).read_text(encoding="utf-8")
        assert not re.findall(r"^```(?:bash|shell|console|zsh)", text, re.MULTILINE), page
        for kind, code in re.findall(r"^```(\w*)[^\n]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
            hidden = re.search(r"^(?:\$ )?(?:curl|make|python3?) ", code, re.MULTILINE)
            assert kind == "sh" or not hidden, f"{page}: {code}"


def test_the_credentials_file_is_as_the_pages_say(product: Product) -> None:
    known = json.loads((product.data_dir / "credentials.json").read_text())
    assert {"api_key", "screen_token", "admin"} <= known.keys()
