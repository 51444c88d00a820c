"""`python -m services dump FILE`, `… load FILE`: to another major version of PostgreSQL.

The embedded database cannot read what another major version wrote, and a version of the platform
brings one only: the version before dumps, the new one loads.
"""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from shared.errors import Misconfigured, Unavailable
from shared.store import embedded
from shared.store.engine import libpq_url


def dump(database_url: str, file: Path) -> None:
    """Everything, into a new file of PostgreSQL's own format; readable by its owner only. Raises
    `Misconfigured` or `Unavailable`."""
    if file.exists():
        raise Misconfigured(f"{file} is there already: name another one")
    partial = file.with_name(f"{file.name}.partial")
    partial.touch(mode=0o600)
    try:
        _run(
            "pg_dump", database_url, "--format=custom", "--no-owner", f"--file={partial.resolve()}"
        )
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)


def load(folder: Path, file: Path) -> None:
    """Into a new cluster in `folder`, which must have none; a failure leaves none behind. Raises
    `Misconfigured` or `Unavailable`."""
    if (folder / "data").exists():
        raise Misconfigured(
            f"{folder} holds a database: move it away first, nothing is overwritten"
        )
    if not file.is_file():
        raise Misconfigured(f"{file}: there is no such file")
    server = embedded.start(folder)
    try:
        once = ("--no-owner", "--exit-on-error", "--single-transaction", str(file.resolve()))
        _run("pg_restore", server.url, *once)
    except BaseException:
        embedded.stop(server)
        shutil.rmtree(folder)
        raise
    embedded.stop(server)


def _run(program: str, database_url: str, *words: str) -> None:
    """One of PostgreSQL's programs; the password is in no list of processes."""
    given = conninfo_to_dict(libpq_url(database_url))
    environment = os.environ | {"PGPASSWORD": str(given.pop("password", ""))}
    address: dict[str, Any] = dict(given)
    where = f"--dbname={make_conninfo(**address)}"
    command = [str(embedded.wheel_programs() / program), where, *words]
    done = subprocess.run(
        command, env=environment, cwd="/", capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise Unavailable(f"{program}: {done.stderr.strip()[-1500:]}")
