"""Backups of the local PostgreSQL: a base, and its log (WAL) as it is written.

What was committed after the last byte that arrived here is still in the event log: the writer and
the engine read it from there. So a restored city has every reading that was acknowledged, as long
as the event log keeps it. docs/backup.md.
"""

import os
import shutil
import signal
import subprocess
from pathlib import Path

import psycopg
from sqlalchemy.engine import make_url

from deploy.local import parts, timescale
from deploy.local.process import Handle, end, is_alive, launch, say, tail
from shared.errors import Misconfigured, Unavailable
from shared.pause import until
from shared.store.embedded import Programs

SLOT = "yiwang_backup"  # the server keeps what the backup has not got yet
OPTIONS = "postmaster.opts"
RECEIVE_SECONDS = 30.0
RECOVER_SECONDS = 600.0


def begin(folder: Path, into: Path) -> Handle:
    """A base backup of the database of `folder` below `into`, and the process that receives its
    log from now on. Raises `Unavailable`, or `Misconfigured` where a backup lies already."""
    url = parts.status(folder).get("database")
    if url is None:
        raise Unavailable(f"no database runs on {folder}")
    if (into / "base").exists():
        raise Misconfigured(f"{into} holds a backup already: name another folder")
    programs = timescale.programs()
    _make(programs, into / "wal")
    password = make_url(url).password or ""
    (into / "password").touch(mode=0o600)
    (into / "password").write_text(password)
    receiver = _receive(programs, into, url)
    try:
        say("copying the base")
        where = str(programs.seen(into.resolve()) / "base")
        _run(programs, into, url, "pg_basebackup", "-D", where, "-c", "fast", "-X", "none")
        # It names the port: whoever uses the database finds the restored one there.
        shutil.copy(folder / "timescale" / "data" / OPTIONS, into / "base")
    except BaseException:
        stop(receiver)
        raise
    return receiver


def stop(receiver: Handle) -> None:
    """Receive no more."""
    end({receiver: signal.SIGINT}, 10.0)


def restore(into: Path, folder: Path) -> parts.Parts:
    """The backup as the database of `folder`, which must have none; started, and recovered to the
    end of the log that was received. Raises `Misconfigured` or `Unavailable`."""
    cluster = (folder / "timescale").resolve()
    if (cluster / "data").exists():
        raise Misconfigured(f"{cluster / 'data'} exists: move it away first")
    if not (into / "base" / "PG_VERSION").exists():
        raise Misconfigured(f"{into} holds no backup")
    programs = timescale.programs()
    _make(programs, cluster)
    say("copying the backup")
    shutil.copytree(into / "base", cluster / "data", symlinks=True)
    shutil.copytree(into / "wal", cluster / "wal")
    for unfinished in (cluster / "wal").glob("*.partial"):
        unfinished.rename(unfinished.with_suffix(""))
    shutil.copy(into / "password", cluster / "password")
    command = f'cp "{programs.seen(cluster)}/wal/%f" "%p"'
    with (cluster / "data" / "postgresql.auto.conf").open("a") as settings:
        settings.write(f"restore_command = '{command}'\n")
    (cluster / "data" / "recovery.signal").touch()
    _own(programs, cluster)
    (cluster / "data").chmod(0o700)
    started = parts.start(folder, kafka=False)
    if not until(lambda: _is_recovered(started.database_url), RECOVER_SECONDS):
        raise Unavailable(f"it did not recover:\n{tail(cluster / 'log')}")
    shutil.rmtree(cluster / "wal")
    return started


def _receive(programs: Programs, into: Path, url: str) -> Handle:
    slot = ("pg_receivewal", "-D", str(programs.seen(into.resolve()) / "wal"), "-S", SLOT)
    _run(programs, into, url, *slot, "--create-slot", "--if-not-exists")
    words = [*programs.command(slot[0], into.resolve()), *slot[1:], "--synchronous", *_to(url)]
    receiver = launch(words, into / "receive.log", Path("/"), _environment(url))
    if not until(lambda: _is_received(url) or not is_alive(receiver), RECEIVE_SECONDS):
        stop(receiver)
    if not is_alive(receiver):
        raise Unavailable(f"the log is not received:\n{tail(into / 'receive.log')}")
    return receiver


def _is_received(url: str) -> bool:
    query = "SELECT active FROM pg_replication_slots WHERE slot_name = %s"
    with psycopg.connect(url, connect_timeout=5) as connection:
        return connection.execute(query, (SLOT,)).fetchone() == (True,)


def _is_recovered(url: str) -> bool:
    try:
        with psycopg.connect(url, connect_timeout=5) as connection:
            return connection.execute("SELECT pg_is_in_recovery()").fetchone() == (False,)
    except psycopg.OperationalError:
        return False


def _run(programs: Programs, into: Path, url: str, program: str, *arguments: str) -> None:
    words = [*programs.command(program, into.resolve()), *arguments, *_to(url)]
    done = subprocess.run(
        words, env=_environment(url), cwd="/", capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise Unavailable(f"{program} failed:\n{done.stderr[-1500:]}")


def _to(url: str) -> tuple[str, ...]:
    at = make_url(url)
    return "-h", str(at.host), "-p", str(at.port), "-U", str(at.username)


def _environment(url: str) -> dict[str, str]:
    """The password is not for the list of processes."""
    return dict(os.environ) | {"PGPASSWORD": make_url(url).password or ""}


def _make(programs: Programs, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for each in (folder, folder.parent) if folder.name == "wal" else (folder,):
        _own(programs, each, alone=True)


def _own(programs: Programs, folder: Path, *, alone: bool = False) -> None:
    owner = programs.owner()
    if owner is None:
        return
    os.chown(folder, *owner)
    for entry in () if alone else folder.rglob("*"):
        os.chown(entry, *owner, follow_symlinks=False)
