"""The container image of this tree, for tests and benchmarks."""

import os
import subprocess
from dataclasses import dataclass

from deploy.image import engine as engines
from deploy.image.build import build
from deploy.image.engine import Engine

NAME = "localhost/yiwang:test"  # nobody's own is replaced


@dataclass(frozen=True)
class Image:
    """A name, and the engine that has it."""

    engine: Engine
    name: str

    def starting(self, *options: str) -> list[str]:
        """The words that start a container of it; what its entry point takes may follow."""
        return [*self.engine.starting(*options), self.name]

    def python(self, code: str, *options: str) -> "subprocess.CompletedProcess[str]":
        """Run code in a container, as what the image itself says."""
        command = self.starting("--entrypoint=python", *options)
        return subprocess.run(
            [*command, "-c", code], capture_output=True, text=True, check=False
        )  # fmt: skip


def reason_it_cannot_be_built() -> str | None:
    """None where a container engine runs, and folders can be given to the image's user."""
    if os.geteuid() != 0:
        return "only root may give a folder to the image's user"
    return engines.MISSING if engines.find() is None else None


def built() -> Image:
    """Built now; what has not changed is taken from the engine's cache."""
    engine = engines.found()
    build(engine, NAME)
    return Image(engine, NAME)
