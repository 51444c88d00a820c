"""A real PostgreSQL with TimescaleDB: the local installation, else a Debian root of our own.

The root is debootstrapped once into the cache. Its server runs in a chroot inside a mount
namespace of its own, so that the cluster can lie anywhere and no mount outlives the process.
"""

import shutil
import subprocess
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from deploy.local import debian
from deploy.local.cache import CACHE
from shared.errors import Misconfigured
from shared.store.embedded import Installed, Programs

SUITE = "trixie"
PACKAGES = ("postgresql-17", "postgresql-17-timescaledb")
ROOT = CACHE / f"{SUITE}-{PACKAGES[1]}"
SETTINGS = {
    "shared_preload_libraries": "timescaledb",
    "timescaledb.telemetry_level": "off",
    "shared_buffers": "1GB",
    "effective_cache_size": "8GB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "4GB",
    "max_worker_processes": "16",
    "max_locks_per_transaction": "512",  # a hypertable of many chunks locks each of them
}
_ENTER = """
mount --rbind /dev "$1/dev" && mkdir -p "$1$3" && mount --bind "$2" "$1$3" &&
root=$1 && shift 3 && exec chroot --userspec=postgres "$root" /usr/lib/postgresql/17/bin/"$@"
"""

_NONE_HERE = (
    "no local PostgreSQL has the timescaledb extension"
    " (Debian 13: apt-get install postgresql-17-timescaledb)"
)


def reason_it_cannot_run() -> str | None:
    """None when TimescaleDB can be had here, else what is missing and how to get it."""
    if _local_programs() is not None:
        return None
    reason = debian.reason_it_cannot_be_built(ROOT)
    return None if reason is None else f"{_NONE_HERE}, and {reason}"


def programs() -> Programs:
    """The programs to run: local ones if they have the extension, else those of the root."""
    reason = reason_it_cannot_run()
    if reason is not None:
        raise Misconfigured(reason)
    local = _local_programs()
    if local is not None:
        return Installed(local, SETTINGS)
    debian.build(ROOT, SUITE, PACKAGES, "with TimescaleDB", ["var/lib/postgresql/17/main"])
    return Chrooted()


class Chrooted:
    """`Programs` inside the Debian root."""

    settings: Mapping[str, str] = SETTINGS

    def seen(self, folder: Path) -> Path:
        """Where the chroot has the folder; its name tells the server apart from others."""
        return Path("/srv") / sha256(str(folder).encode()).hexdigest()[:16]

    def owner(self) -> tuple[int, int] | None:
        """The root's own postgres user."""
        for line in (ROOT / "etc" / "passwd").read_text().splitlines():
            name, _, uid, gid, *_ = line.split(":")
            if name == "postgres":
                return int(uid), int(gid)
        raise Misconfigured(f"{ROOT} has no user postgres: remove it, it will be built again")

    def command(self, program: str, folder: Path) -> list[str]:
        """`exec` all the way down: the pid stays the one that was started."""
        seen = str(self.seen(folder))
        return ["unshare", "--mount", "sh", "-c", _ENTER, "sh", str(ROOT), str(folder), seen,
                program]  # fmt: skip


def _local_programs() -> Path | None:
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        version = folder.parent.name
        control = Path("/usr/share/postgresql") / version / "extension" / "timescaledb.control"
        if control.exists():
            return folder
    config = shutil.which("pg_config")
    if config is None:
        return None
    said = subprocess.run(
        [config, "--sharedir", "--bindir"], capture_output=True, text=True, check=False
    ).stdout.splitlines()
    found = len(said) == 2 and (Path(said[0]) / "extension" / "timescaledb.control").exists()
    return Path(said[1]) if found else None
