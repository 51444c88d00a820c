"""`first_start`: a new machine: from nothing to the first reading on the wall, in seconds.

A fresh clone and an empty home; `make run`, with the simulated city; a real Chromium that opens the
wall as soon as the city is ready. The package caches (pip, uv, npm) are this machine's: what a
network adds is not measured. `steps`: seconds of each; `set_up`: what that step said. Bar: 180 s.
"""

import json
import os
import signal
import subprocess
import tempfile
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, sync_playwright

from deploy.bootstrap import output
from shared.clock import monotonic
from shared.pause import until
from shared.store.embedded import free_port
from tests.bench import report
from tests.e2e.conftest import ARGUMENTS, find_browser

ROOT = Path(__file__).parents[2]
BAR_SECONDS = 180.0
PAINTED = """() => window.__wall?.epoch.value > 0
  && [...window.__wall.picture.series.value].some(Number.isFinite)
  && document.querySelector(".tile .pointer") !== null"""


@dataclass
class Start:
    """One `make run` in a new clone. `marks`: step → seconds since the beginning of it;
    `progress`: what the setting up said, each line with its second."""

    folder: Path
    began: float = field(default_factory=monotonic)
    marks: dict[str, float] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    progress: list[str] = field(default_factory=list)

    @property
    def clone(self) -> Path:
        """Where the sources are."""
        return self.folder / "yiwang"

    @property
    def url(self) -> str:
        """The city's address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def said(self) -> str:
        """What it has printed."""
        return (self.folder / "said").read_text(errors="replace")

    def mark(self, step: str) -> None:
        """A step begins; the one before is over."""
        self.marks[step] = monotonic() - self.began

    def steps(self) -> dict[str, float]:
        """Seconds from each mark to the next; the last mark is the end."""
        moments = list(self.marks.items())
        pairs = pairwise(moments)
        return {step: round(then - now, 1) for (step, now), (_, then) in pairs}


def run(quick: bool) -> str:
    """See above."""
    machine = report.machine()
    path = find_browser()
    assert path is not None, "no Chromium is installed"
    taken: list[Start] = []
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=path, args=ARGUMENTS)
        for _ in range(1 if quick else 3):
            with tempfile.TemporaryDirectory(prefix="yiwang-bench-") as folder:
                taken.append(_first_start(Path(folder), browser))
        browser.close()
    totals = [start.marks["painted"] for start in taken]
    return report.line(
        "first_start", "s", totals, [BAR_SECONDS] * len(totals), limit_is="the bar",
        steps=report.medians([start.steps() for start in taken]),
        set_up=taken[-1].progress, **machine,
    )  # fmt: skip


def _first_start(folder: Path, browser: Browser) -> Start:
    start = Start(folder)
    start.mark("clone")
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(start.clone)], check=True)
    start.mark("set up")
    (folder / "home").mkdir()
    with (folder / "said").open("wb") as sink:
        process = subprocess.Popen(
            ["make", "run"], cwd=start.clone, env=_environment(start), stdout=sink, stderr=sink,
            stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
    try:
        _reach(start, process, lambda: (start.clone / ".data").exists())
        start.mark("start")
        _reach(start, process, lambda: _ready(start.url))
        start.mark("paint")
        _paint(start, browser)
        start.mark("painted")
        start.progress = [line for line in start.said.splitlines() if line.startswith("[")]
    finally:
        _end(process)
    return start


def _reach(start: Start, process: "subprocess.Popen[bytes]", condition: Any) -> None:
    until(lambda: condition() or process.poll() is not None, 2 * BAR_SECONDS)
    assert process.poll() is None and condition(), start.said[-3000:]


def _environment(start: Start) -> dict[str, str]:
    """A home of its own; the caches are where they were."""
    caches = {
        "UV_CACHE_DIR": output(ROOT / ".venv" / "bin" / "uv", "cache", "dir"),
        "PIP_CACHE_DIR": output(ROOT / ".venv" / "bin" / "pip", "cache", "dir"),
        "npm_config_cache": output("npm", "config", "get", "cache"),
    }
    own = {
        "HOME": str(start.folder / "home"), "YIWANG_PORT": str(start.port),
        "YIWANG_SIMULATOR": "on",
    }  # fmt: skip
    plain = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("YIWANG_", "XDG_")) and key != "VIRTUAL_ENV"
    }
    return plain | {key: value for key, value in caches.items() if value} | own


def _ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def _paint(start: Start, browser: Browser) -> None:
    known = json.loads((start.clone / ".data" / "credentials.json").read_text())
    page = browser.new_page(viewport={"width": 1920, "height": 1080})
    page.goto(f"{start.url}/?token={known['screen_token']}")
    page.wait_for_function(PAINTED, timeout=BAR_SECONDS * 1000)
    page.close()


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Ctrl-C, as a person would; by force if it does not go."""
    if process.poll() is not None:
        return
    os.killpg(process.pid, signal.SIGINT)
    try:
        process.wait(40)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
