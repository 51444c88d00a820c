"""Docker or Podman, whichever runs here: they take the same words for what is asked of them."""

import resource
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from shared.errors import Misconfigured, Unavailable

MISSING = (
    "no container engine runs here: start Docker, or install Podman"
    " (Debian: apt-get install podman runc)"
)
_HYBRID = Path(
    "/sys/fs/cgroup/unified"
)  # crun refuses this mixture of control groups, runc does not
_PULL_SECONDS = 300.0


@dataclass(frozen=True)
class Engine:
    """`words`: the command, and what each of its calls needs here."""

    name: str
    words: tuple[str, ...]

    def run(self, *arguments: str, seconds: float | None = None) -> str:
        """What it prints. Raises `Unavailable` with the end of what it said."""
        try:
            done = subprocess.run(
                [*self.words, *arguments],
                capture_output=True, text=True, check=False, timeout=seconds,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise Unavailable(f"{self.name} {arguments[0]}: no answer in {seconds} s") from None
        if done.returncode != 0:
            said = f"{done.stdout[-3000:]}{done.stderr[-3000:]}"
            raise Unavailable(f"{self.name} {arguments[0]} … failed:\n{said}")
        return done.stdout

    def has(self, image: str) -> bool:
        """Whether it is there, or a registry gives it."""
        for words in (("image", "inspect", image), ("pull", "--quiet", image)):
            try:
                self.run(*words, seconds=_PULL_SECONDS)
            except Unavailable:
                continue
            return True
        return False

    def size(self, image: str) -> int:
        """Bytes on a disk, unpacked."""
        return int(self.run("image", "inspect", "--format", "{{.Size}}", image))

    def starting(self, *options: str) -> list[str]:
        """The words before an image's name that start a container of it, until it ends."""
        own = [f"--ulimit={limit}" for limit in _limits()]
        if self.name == "podman":
            own.append("--read-only-tmpfs=false")  # as Docker and Kubernetes: what is asked for
        return [*self.words, "run", "--rm", *own, *options]


def _limits() -> Iterator[str]:
    """Enough, and no more than we have: Podman's own need CAP_SYS_RESOURCE to be raised to."""
    for name, number, enough in (
        ("nofile", resource.RLIMIT_NOFILE, 65536),
        ("nproc", resource.RLIMIT_NPROC, 4096),
    ):
        _, most = resource.getrlimit(number)
        limit = enough if most == resource.RLIM_INFINITY else min(most, enough)
        yield f"{name}={limit}:{limit}"


def find() -> Engine | None:
    """The engine of this machine; None without one."""
    if _answers("docker", "info"):
        return Engine("docker", ("docker",))
    if not _answers("podman", "info"):
        return None
    runtime = ("--runtime", "runc") if _HYBRID.exists() and shutil.which("runc") else ()
    return Engine("podman", ("podman", *runtime))


def found() -> Engine:
    """The same. Raises `Misconfigured`, saying how to get one."""
    engine = find()
    if engine is None:
        raise Misconfigured(MISSING)
    return engine


def _answers(*command: str) -> bool:
    return _succeeds(command) if shutil.which(command[0]) else False


def _succeeds(command: Sequence[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
