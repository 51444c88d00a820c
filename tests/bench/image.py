"""`image`: seconds from a container's start until its process is ready, and how large the image is.

Value: of the slowest process, as Kubernetes' manifests start it (user, read-only root, memory), one
after the other on a city that is set up, Kafka and TimescaleDB running. Limit: the bar, 5 s.
`by_process`: of each; `size_mb`: the image on a disk, bar 400.
"""

import statistics
import subprocess
import tempfile
from pathlib import Path

from deploy.local import parts
from deploy.local.city import SERVICES
from shared.clock import monotonic
from tests import image as images
from tests import manifests
from tests.bench import report
from tests.conftest import drop_database, scratch_database
from tests.contained import Contained, as_kubernetes_says
from tests.shape import ROOT

BAR_SECONDS = 5.0
BAR_MB = 400


def run(quick: bool) -> str:
    """See above."""
    machine = report.machine()
    image = images.built()
    taken: dict[str, list[float]] = {name: [] for name in SERVICES}
    with (
        tempfile.TemporaryDirectory(prefix="yiwang-bench-") as folder,
        parts.running(Path(folder) / "parts") as servers,
    ):
        name, url = scratch_database(servers.database_url)
        data = Path(folder) / "data"
        manifests.prepare(data, url)
        shape = Contained(
            data, url, servers.kafka_bootstrap, image=image,
            wanted=manifests.of_kubernetes(), options=as_kubernetes_says,
        )  # fmt: skip
        subprocess.run(shape.command("setup"), cwd=ROOT, check=True, capture_output=True)
        for _ in range(1 if quick else 5):
            for process, seconds in taken.items():
                seconds.append(_ready(shape, process))
        drop_database(servers.database_url, name)
    slowest = max(taken.values(), key=statistics.median)
    return report.line(
        "image", "s until ready", slowest, [BAR_SECONDS] * len(slowest), limit_is="the bar",
        by_process={name: round(statistics.median(each), 2) for name, each in taken.items()},
        size_mb=round(image.engine.size(image.name) / 1e6), size_bar_mb=BAR_MB, **machine,
    )  # fmt: skip


def _ready(shape: Contained, process: str) -> float:
    began = monotonic()
    try:
        shape.start(process)
        shape.wait_ready()
        return monotonic() - began
    finally:
        shape.end(process)


def reason_it_cannot_run() -> str | None:
    """None where an image can be built and its processes started."""
    missing = [images.reason_it_cannot_be_built(), *parts.available().values()]
    return "; ".join(reason for reason in missing if reason) or None
