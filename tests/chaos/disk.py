"""A small disk of a part's own, so that it can be filled without harm to anybody else."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import ClassVar

MEGABYTES = 1536


class Disk:
    """A tmpfs on `folder`, where we may mount one (root on Linux)."""

    FOLDERS: ClassVar[dict[str, str]] = {"kafka": "kafka", "database": "timescale"}

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mounted = False

    @staticmethod
    def reason_it_cannot_be() -> str | None:
        """None when a disk can be filled here."""
        if os.geteuid() != 0 or shutil.which("unshare") is None:
            return "a small file system cannot be mounted here (root on Linux can)"
        trial = ["unshare", "--mount", "mount", "-t", "tmpfs", "chaos", tempfile.gettempdir()]
        done = subprocess.run(trial, capture_output=True, text=True, check=False)
        return None if done.returncode == 0 else f"root may not mount here: {done.stderr.strip()}"

    def make(self) -> None:
        """If it may be; otherwise the folder stays what it is."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.reason_it_cannot_be() is not None:
            return
        options = f"size={MEGABYTES}M,mode=755"
        command = ["mount", "-t", "tmpfs", "-o", options, "chaos", str(self.folder)]
        subprocess.run(command, check=True, capture_output=True)
        self.mounted = True

    def fill(self) -> None:
        """To the last byte. Only what is ours."""
        assert self.mounted, f"{self.folder} lies on somebody else's disk"
        with self._filler.open("wb", buffering=0) as filler:
            for size in (1 << 24, 1 << 16, 1 << 12, 1):
                block = bytes(size)
                try:
                    while filler.write(block) == size:
                        pass
                except OSError:
                    continue

    def empty(self) -> None:
        """Room again."""
        self._filler.unlink(missing_ok=True)

    def remove(self) -> None:
        """What lies on it stays beside it, for whoever looks into a failure."""
        if not self.mounted:
            return
        self.empty()
        kept = self.folder.with_name(f"{self.folder.name}.kept")
        for log in ("log", "broker.log"):
            source = self.folder / log
            if source.is_file():
                kept.mkdir(exist_ok=True)
                shutil.copy(source, kept / log)
        subprocess.run(["umount", "-l", str(self.folder)], check=False, capture_output=True)
        self.mounted = False

    @property
    def _filler(self) -> Path:
        return self.folder / "filler"
