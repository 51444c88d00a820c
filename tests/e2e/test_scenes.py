"""How the wall looks in each scene, to the pixel.

`YIWANG_KEEP_SCENES=1` replaces the references; look at every one before it is committed.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from deploy.bootstrap import WALL, find_npm
from services.ops_center.pages import DIST
from tests.e2e.conftest import ARGUMENTS
from tests.e2e.scenes import SCENES, City, Scene, flood
from tests.e2e.studio import Studio, studio

REFERENCES = Path(__file__).parent / "references"
KEEP = bool(os.environ.get("YIWANG_KEEP_SCENES"))
SHARE = 0.001  # of the pixels may differ: a newer browser draws some edges otherwise
LEAST_COLOURS = 12  # of a map that is drawn
PLAIN = ("--font-render-hinting=none", "--disable-lcd-text", "--force-color-profile=srgb",
         "--disable-font-subpixel-positioning")  # fmt: skip


@pytest.fixture(scope="module")
def plain(chromium: str) -> Iterator[Browser]:
    """A browser that draws text the same way wherever it runs."""
    assert (DIST / "index.html").exists(), "the pages are not built: run `make wall`"
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=[*ARGUMENTS, *PLAIN])
        yield running
        running.close()


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_the_wall_looks_as_it_did(plain: Browser, scene: Scene, tmp_path: Path) -> None:
    shown = play(plain, scene)
    actual = tmp_path / f"{scene.name}.png"
    shown.page.screenshot(path=actual)
    shown.page.context.close()
    assert not shown.foreign
    judge(actual, REFERENCES / f"{scene.name}.png")


def test_twice_the_pixels_show_the_same_wall(plain: Browser, tmp_path: Path) -> None:
    shown = play(plain, Scene("4k", flood), 3840, 2160)
    large, small = tmp_path / "large.png", tmp_path / "4k.png"
    shown.page.screenshot(path=large)
    shown.page.context.close()
    node("shrink", large, 4, small)
    judge(small, REFERENCES / "4k.png")


def test_every_character_is_drawn_in_the_walls_own_font(plain: Browser) -> None:
    shown = play(plain, Scene("fonts", flood, keys=("ArrowDown", "Enter")))
    session = shown.page.context.new_cdp_session(shown.page)
    session.send("DOM.enable")
    session.send("CSS.enable")
    root = session.send("DOM.getDocument")["root"]["nodeId"]
    selected = {"nodeId": root, "selector": "#wall :not(:empty)"}
    used = [
        font
        for node_id in session.send("DOM.querySelectorAll", selected)["nodeIds"]
        for font in session.send("CSS.getPlatformFontsForNode", {"nodeId": node_id})["fonts"]
    ]
    shown.page.context.close()
    assert sum(font["glyphCount"] for font in used if font["isCustomFont"]) > 500
    assert not [font for font in used if not font["isCustomFont"]]


def play(browser: Browser, scene: Scene, width: int = 1920, height: int = 1080) -> Studio:
    """The scene, drawn."""
    city = City()
    scene.change(city)
    shown = studio(browser, city, width, height)
    shown.open(scene.query)
    shown.play(scene)
    return shown


def judge(actual: Path, reference: Path) -> None:
    """The same but for a thousandth of its pixels; and not blank."""
    if KEEP:
        node("keep", actual, reference)
    difference = actual.with_name(f"{actual.stem}-difference.png")
    said: dict[str, Any] = json.loads(node("compare", actual, reference, difference))
    assert said["colours"] >= LEAST_COLOURS, f"the map is blank: see {actual}"
    assert said["different"] <= SHARE * said["pixels"], f"{said}: see {actual} and {difference}"


def node(*words: object) -> str:
    """What the front end's own tool answers."""
    _, folder = find_npm()
    program = "node" if folder is None else f"{folder}/node"
    command = [program, "tests/compare.mjs", *map(str, words)]
    done = subprocess.run(command, cwd=WALL, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
