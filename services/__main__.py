"""The whole city in one process: `python -m services`; `python -m services setup` only prepares;
`python -m services doctor` says what is wrong, and how to mend it; `… dump FILE` and `… load FILE`
move the database to another major version of PostgreSQL (docs/deployment.md).

Starts (or adopts) the embedded database, migrates, makes the first credentials, serves, drains.
"""

import argparse
import asyncio
import contextlib
import fcntl
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from deploy.migrations import roles
from deploy.migrations.upgrade import upgrade
from services import first_start, moving
from shared import logs
from shared.clock import monotonic
from shared.errors import Misconfigured, Unavailable
from shared.runtime import uvicorn_loop_run
from shared.settings import Settings, load
from shared.store import embedded


def main() -> None:
    """Entry point; a wrong setting ends it with one clear line."""
    parser = argparse.ArgumentParser(prog="python -m services", description=__doc__)
    commands = ("run", "setup", "doctor", "dump", "load")
    parser.add_argument("command", nargs="?", choices=commands, default="run")
    parser.add_argument("file", nargs="?", type=Path, help="of dump and load")
    parser.add_argument("--json", action="store_true", help="doctor: one JSON object a line")
    given = parser.parse_args()
    if (given.command in ("dump", "load")) != (given.file is not None):
        parser.error("dump and load take a FILE, nothing else does")
    if given.command == "doctor":
        sys.exit(_doctor(as_json=given.json))
    settings = load()
    logs.configure(settings.log_level)
    try:
        with sole_owner(settings.data_dir):
            if given.file is not None:
                _move(settings, given.command, given.file)
            else:
                _start(settings, setup_only=given.command == "setup")
    except (Misconfigured, Unavailable) as error:
        sys.exit(f"yiwang: {error}")


def _start(settings: Settings, *, setup_only: bool) -> None:
    with database(settings) as url:
        say("migrating the database")
        upgrade(url)
        if settings.database_roles_dir is not None:
            roles.ensure(url, settings.database_roles_dir)
        if setup_only:
            asyncio.run(first_start.prepare(settings, url))
            return
        from services import city  # `setup` needs no service's machinery

        uvicorn_loop_run(city.run(settings, url, say))


def _move(settings: Settings, command: str, file: Path) -> None:
    if command == "load":
        moving.load((settings.data_dir / "postgres").resolve(), file)
        say(f"{file} is loaded: start the city")
        return
    with database(settings) as url:
        moving.dump(url, file)
    say(f"dumped into {file}")


def _doctor(*, as_json: bool) -> int:
    """Its exit code. It is loaded when it is called: nobody else needs what it looks at."""
    from services import doctor

    return doctor.run(as_json=as_json)


def say(line: str) -> None:
    """One line of progress for the person who started it."""
    print(f"[{monotonic() - _STARTED:5.1f} s] {line}", flush=True)


@contextlib.contextmanager
def sole_owner(data_dir: Path) -> Iterator[None]:
    """Hold the data directory's lock: two cities on one directory would corrupt each other."""
    data_dir.mkdir(parents=True, exist_ok=True)
    with (data_dir / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise Misconfigured(
                f"{data_dir} is in use by process {lock.read().strip() or '?'}: stop it,"
                " or set YIWANG_DATA_DIR to another directory"
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


@contextlib.contextmanager
def database(settings: Settings) -> Iterator[str]:
    """The URL of the database to use: the one that is named, else the embedded one."""
    if settings.database_url is not None:
        yield settings.database_url
        return
    say("starting the embedded PostgreSQL")
    server = embedded.start((settings.data_dir / "postgres").resolve())
    try:
        yield server.url
    finally:
        embedded.stop(server)


_STARTED = monotonic()

if __name__ == "__main__":
    main()
