"""Builds the image by its Dockerfile. Where no registry gives Python's own image, a Debian root
takes its place: made by debootstrap, once."""

import subprocess
import tempfile
from pathlib import Path

from deploy.image.engine import Engine
from deploy.local import debian
from deploy.local.cache import CACHE
from deploy.local.process import say
from shared.errors import Misconfigured, Unavailable

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "deploy" / "image" / "Dockerfile"
NAME = "yiwang:latest"
SUITE = "bookworm"
PACKAGES = ("python3-venv", "ca-certificates", "binutils")
BASE = f"localhost/yiwang-base:{SUITE}"
BASE_ROOT = CACHE / f"{SUITE}-image"
CERTIFICATES = Path("/etc/ssl/certs")


def build(engine: Engine, name: str = NAME) -> None:
    """Make the image `name`; what has not changed is taken from the engine's own cache.

    Raises `Unavailable` with what failed, `Misconfigured` where no base can be had.
    """
    base = _base(engine)
    say(f"building {name} with {engine.name}")
    engine.run(
        "build", "--quiet", *_of_this_machine(engine), "--build-arg", f"BASE={base}",
        "--file", str(DOCKERFILE), "--tag", name, str(ROOT),
    )  # fmt: skip


def default_base() -> str:
    """Python's image, as the Dockerfile names it."""
    line = next(
        line for line in DOCKERFILE.read_text().splitlines() if line.startswith("ARG BASE=")
    )
    return line.removeprefix("ARG BASE=")


def _of_this_machine(engine: Engine) -> list[str]:
    """Docker's daemon has its own network and certificates; Podman builds with ours."""
    if engine.name == "docker":
        return []
    ours = ["--isolation", "chroot", "--network", "host"]
    return (
        [*ours, "--volume", f"{CERTIFICATES}:{CERTIFICATES}:ro"] if CERTIFICATES.exists() else ours
    )


def _base(engine: Engine) -> str:
    base = default_base()
    if engine.has(base):
        return base
    if not _imported(engine):
        reason = debian.reason_it_cannot_be_built(BASE_ROOT)
        if reason is not None:
            raise Misconfigured(f"no registry gives {base}, and {reason}")
        debian.build(BASE_ROOT, SUITE, PACKAGES, "for the image")
        _import(engine)
    return BASE


def _imported(engine: Engine) -> bool:
    try:
        engine.run("image", "inspect", BASE)
    except Unavailable:
        return False
    return True


def _import(engine: Engine) -> None:
    with tempfile.TemporaryDirectory(prefix="yiwang-image-") as folder:
        archive = Path(folder) / "root.tar"
        subprocess.run(["tar", "-C", str(BASE_ROOT), "-cf", str(archive), "."], check=True)
        engine.run("import", str(archive), BASE)
