"""`console_bundle`: what a browser loads for the console beyond what the wall has already; less is
better.

Gzipped, in kB (1,000 bytes): every file that `console.html` leads to, lazily loaded ones included,
without those that `index.html` leads to. The bar, and the `limit`, is 400.
"""

import gzip
import re
from pathlib import Path

from services.ops_center.pages import DIST
from tests.bench import report

BAR_KB = 400.0
_NAME = re.compile(r"[\w.-]+-[\w-]{8}\.(?:js|css)")


def run(quick: bool) -> str:
    """One count; a build does not vary."""
    del quick
    assert (DIST / "console.html").exists(), "the pages are not built: run `make wall`"
    own = sorted(_reachable("console.html") - _reachable("index.html"))
    sizes = {name: len(gzip.compress((DIST / "assets" / name).read_bytes())) / 1000 for name in own}
    return report.line(
        "console_bundle", "kB gzipped", [sum(sizes.values())], [BAR_KB],
        limit_is="the bar", files={name: round(size, 1) for name, size in sizes.items()},
    )  # fmt: skip


def _reachable(page: str) -> set[str]:
    """Names of the assets that a page leads to, directly or by way of others."""
    known = {file.name for file in (DIST / "assets").iterdir()}
    found: set[str] = set()
    waiting: list[Path] = [DIST / page]
    while waiting:
        text = waiting.pop().read_text(encoding="utf-8", errors="replace")
        new = (set(_NAME.findall(text)) & known) - found
        found |= new
        waiting += [DIST / "assets" / name for name in new]
    return found
