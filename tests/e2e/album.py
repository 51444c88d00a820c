"""The pictures of the operator's handbook: taken of the pages, kept small, never blank."""

import base64
import os
import re
from pathlib import Path

from playwright.sync_api import Page

from tests.product import ROOT

LANGUAGES = ("zh", "en")
FOLDER = ROOT / "docs" / "images" / "handbook"
KEEP = bool(os.environ.get("YIWANG_KEEP_SCENES"))
LARGEST_BYTES = 150 * 1024
LEAST_BYTES = 8 * 1024  # of a page with something on it; an empty one has less than half of that
QUALITY = 76
NAMED = re.compile(r"!\[[^\]]+\]\(images/handbook/([\w-]+)\.webp\)")


def named_in(language: str) -> list[str]:
    """The pictures that a language's handbook shows, in its order."""
    page = ROOT / "docs" / f"handbook.{language}.md"
    return NAMED.findall(page.read_text(encoding="utf-8"))


def take(page: Page, name: str, language: str, folder: Path) -> None:
    """A picture of what is seen. `YIWANG_KEEP_SCENES=1` puts it into the handbook."""
    session = page.context.new_cdp_session(page)
    shot = session.send("Page.captureScreenshot", {"format": "webp", "quality": QUALITY})
    session.detach()
    picture = base64.b64decode(shot["data"])
    assert LEAST_BYTES < len(picture) <= LARGEST_BYTES, f"{name}: {len(picture)} bytes"
    for place in (folder, FOLDER) if KEEP else (folder,):
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{name}-{language}.webp").write_bytes(picture)
