"""What a machine could not provide is said at the end of `make test`."""

import subprocess
import sys
from pathlib import Path

from tests.__main__ import skipped

SKIPPING = """
import pytest

@pytest.mark.parametrize("number", [1, 2])
def test_of_alerts(number):
    pytest.skip("NO PROMTOOL: Debian's package `prometheus` is not installed")

@pytest.fixture
def front():
    pytest.skip("NO NGINX: Debian's package `nginx-light` is not installed")

def test_behind_a_proxy(front): ...

def test_that_runs(): ...
"""


def test_each_reason_is_one_line_with_what_it_cost(tmp_path: Path) -> None:
    (tmp_path / "test_skipping.py").write_text(SKIPPING)
    report = tmp_path / "report.xml"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:cloudcoil"]
    command += [f"--junitxml={report}", f"--rootdir={tmp_path}", "-c", "/dev/null", str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert skipped(report) == [
        "NO NGINX: Debian's package `nginx-light` is not installed (1 skipped)",
        "NO PROMTOOL: Debian's package `prometheus` is not installed (2 skipped)",
    ]


def test_a_run_that_never_began_skipped_nothing(tmp_path: Path) -> None:
    assert skipped(tmp_path / "report.xml") == []
