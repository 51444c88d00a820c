"""A Debian root of our own, made by debootstrap: for what this machine has no package of."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from deploy.local.cache import building
from deploy.local.process import say
from shared.errors import Unavailable

# Nothing of the building outlives it: no mount, no process a package starts, no orphaned build.
_FENCE = (
    "setpriv", "--pdeathsig", "KILL",
    "unshare", "--mount", "--pid", "--fork", "--kill-child",
)  # fmt: skip


def reason_it_cannot_be_built(root: Path) -> str | None:
    """None when `root` is there or can be made here, else what is missing and how to get it."""
    if os.geteuid() != 0:
        return "building a Debian root needs root"
    if not _may_mount():
        return "root may not mount here (a container needs CAP_SYS_ADMIN)"
    if not root.exists() and not (shutil.which("debootstrap") or shutil.which("apt-get")):
        return "there is no debootstrap (Debian: apt-get install debootstrap)"
    return None


def build(
    root: Path, suite: str, packages: Sequence[str], what: str, unused: Sequence[str] = ()
) -> None:
    """Once: a minute or three. A partial root is never used. Raises `Unavailable`.

    `unused`: what the packages put there and nobody needs.
    """
    if root.exists():
        return
    if shutil.which("debootstrap") is None:
        say("installing debootstrap")
        _run("apt-get", "update", "-qq")
        _run("apt-get", "install", "-y", "-qq", "--no-install-recommends", "debootstrap")
    with building(root) as place:
        if place is None:
            return
        say(f"building a Debian {suite} root {what} (once, a minute or three)")
        include = f"--include={','.join(packages)}"
        _run(*_FENCE, "debootstrap", "--variant=minbase", include, suite, str(place))
        for spent in ("var/cache/apt", "var/lib/apt/lists", *unused):
            shutil.rmtree(place / spent, ignore_errors=True)


def _may_mount() -> bool:
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*_FENCE, "true"], capture_output=True, check=False).returncode == 0


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        shown = " ".join(word for word in command if word not in _FENCE)[:60]
        raise Unavailable(f"{shown} … failed:\n{done.stdout[-1500:]}{done.stderr[-1500:]}")
