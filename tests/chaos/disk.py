"""A small disk of a part's own, so that it can be filled without harm to anybody else."""

import os
import shutil
import subprocess
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
        if os.geteuid() != 0 or shutil.which("mount") is None:
            return "a small file system cannot be mounted here (root on Linux can)"
        return None

    def make(self) -> None:
        """If it may be; otherwise the folder stays what it is."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.reason_it_cannot_be() is not None:
            return
        options = f"size={MEGABYTES}M,mode=755"
        command = ["mount", "-t", "tmpfs", "-o", options, "chaos", str(self.folder)]
        self.mounted = subprocess.run(command, check=False, capture_output=True).returncode == 0

    def fill(self) -> None:
        """To the last byte."""
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
