"""What is written for strangers holds: the examples run, the documents describe what is sent."""

import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.product import ROOT, Product

BLOCK = re.compile(r"```(sh|python) ([\d ]+)\n(.*?)```", re.DOTALL)
PAGES = {
    name: (ROOT / "docs" / name).read_text()
    for name in ("posting.md", "oncall.md", "start.md", "incidents.md")
}


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    made = Product(tmp_path_factory.mktemp("city")).start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory, product: Product) -> dict[str, str]:
    """An environment whose curl says the status of each answer on standard error."""
    folder = make_curl(tmp_path_factory.mktemp("bin"))
    path, admin = os.environ["PATH"], product.credentials["admin"]
    own = {"PATH": f"{folder}:{path}", "REAL_PATH": path, "URL": product.url}
    own |= {"LOGIN": admin["username"], "PASSWORD": admin["password"]}
    return dict(os.environ) | own | {"KEY": product.credentials["api_key"]}


def make_curl(folder: Path) -> Path:
    """The folder, with a curl in it that says the status of each answer on standard error."""
    curl = folder / "curl"
    curl.write_text('#!/bin/sh\nexec /usr/bin/env PATH="$REAL_PATH" curl -sS '
                    "-w '%{stderr}STATUS=%{http_code}\\n' \"$@\"\n")  # fmt: skip
    curl.chmod(curl.stat().st_mode | stat.S_IEXEC)
    return folder


def run(language: str, code: str, environment: dict[str, str]) -> tuple[list[str], str]:
    command = ["bash", "-euc", code] if language == "sh" else [sys.executable, "-c", code]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    statuses = re.findall(r"STATUS=(\d+)", done.stderr)
    if language == "python":
        statuses = re.findall(r"^(\d{3}) ", done.stdout)
    return statuses, done.stdout + done.stderr


@pytest.mark.parametrize(("page", "least"), [("start.md", 6), ("posting.md", 12), ("oncall.md", 6)])
def test_every_example_of_a_page_answers_what_it_says(
    product: Product, shell: dict[str, str], page: str, least: int
) -> None:
    blocks = BLOCK.findall(PAGES[page])
    assert len(blocks) >= least
    for language, expected, code in blocks:
        statuses, output = run(language, code, shell)
        assert statuses == expected.split(), f"{code}\n{output}"


def test_every_example_about_incidents_answers_what_it_says(shell: dict[str, str]) -> None:
    blocks = BLOCK.findall(PAGES["incidents.md"])
    assert len(blocks) >= 7
    environment = dict(shell)
    for language, expected, code in blocks:
        statuses, output = run(language, code, environment)
        assert statuses == expected.split(), f"{code}\n{output}"
        given = re.search(r"^TOKEN=(\S+)$", output, re.MULTILINE)
        environment |= {"TOKEN": given[1]} if given else {}


def test_the_incidents_page_names_every_command() -> None:
    from services.alerts.incidents.lifecycle import Command

    page = PAGES["incidents.md"]
    for command in Command:
        assert f"| `{command}`" in page


def test_the_page_names_every_reading_code() -> None:
    from shared.contracts.reading import ItemCode

    for code in set(ItemCode) - {ItemCode.CONFLICT, ItemCode.OVER_QUOTA}:
        assert f"`{code.value}`" in PAGES["posting.md"]


def test_the_page_and_the_tree_agree() -> None:
    assert "docs/posting.md" in Path(ROOT / "README.md").read_text()
