"""The image: what is in it, and who it runs as. `test_manifests.py` starts every process of it."""

import subprocess

import pytest

from tests.contained import USER
from tests.image import Image

pytestmark = pytest.mark.timeout(900)  # the first one may have to build it
MOST_BYTES = 400_000_000

EVERY_MODULE = """
import importlib, pkgutil, deploy.migrations, services, shared
roots = (services, shared)
names = [m.name for p in roots for m in pkgutil.walk_packages(p.__path__, p.__name__ + ".")]
for name in names:
    if not name.endswith("__main__"):
        importlib.import_module(name)
print(len(names))
"""
PROGRAMS = """
import os
from pathlib import Path
folders = {*os.environ["PATH"].split(":"), "/bin", "/sbin", "/usr/sbin", "/usr/local/sbin"}
found = {p.name for f in folders if Path(f).is_dir() for p in Path(f).iterdir()}
print(*sorted(found))
"""
RAISED = """
import os, stat
for folder, _, names in os.walk("/", followlinks=False):
    if folder.startswith(("/proc", "/sys", "/dev")):
        continue
    for name in names:
        path = os.path.join(folder, name)
        mode = os.lstat(path).st_mode
        if stat.S_ISREG(mode) and (mode & 0o6000 or mode & 0o002):
            print(path)
"""
PARQUET = """
import io, pyarrow, pyarrow.parquet
table, file = pyarrow.table({"value": [1.5, 2.5]}), io.BytesIO()
pyarrow.parquet.write_table(table, file, compression="zstd")
# Arrow's own reading threads may outlive the interpreter, which then aborts: none of them here.
read = pyarrow.parquet.ParquetFile(pyarrow.BufferReader(file.getvalue()), pre_buffer=False)
assert read.read(use_threads=False).equals(table)
"""
WRITES = """
import errno, os
for folder in ("/", "/app", "/app/services", "/usr", "/etc", "/opt", "/var", "/home", "/run"):
    try:
        open(folder + "/x", "w")
    except OSError as error:
        assert error.errno in (errno.EROFS, errno.EACCES, errno.ENOENT), (folder, error)
    else:
        raise AssertionError(folder)
for folder in ("/data", "/tmp"):
    open(folder + "/x", "w").write("kept")
print(os.getuid())
"""


def says(done: "subprocess.CompletedProcess[str]") -> str:
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_it_is_small(container_image: Image) -> None:
    assert container_image.engine.size(container_image.name) < MOST_BYTES


def test_every_module_finds_what_it_needs(container_image: Image) -> None:
    assert int(says(container_image.python(EVERY_MODULE))) > 300


def test_what_is_written_as_parquet_can_be_read(container_image: Image) -> None:
    says(container_image.python(PARQUET))


def test_there_is_no_program_in_it_but_python(container_image: Image) -> None:
    programs = says(container_image.python(PROGRAMS)).split()
    shell = subprocess.run(
        container_image.starting("--entrypoint=/bin/sh"), capture_output=True, check=False
    )
    assert shell.returncode != 0
    assert not {"sh", "bash", "dash", "apt", "dpkg", "pip", "uv", "perl"} & set(programs)


def test_nothing_in_it_raises_rights_or_is_everybody_s(container_image: Image) -> None:
    assert says(container_image.python(RAISED, "--user=0")) == ""


def test_it_runs_as_nobody_s_user_on_a_root_it_cannot_write(container_image: Image) -> None:
    done = container_image.python(WRITES, "--read-only", "--tmpfs=/tmp")
    assert says(done) == str(USER)


def test_what_is_no_command_ends_it_with_a_reason(container_image: Image) -> None:
    done = subprocess.run(
        [*container_image.starting(), "services.nothing"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "services.nothing" in done.stderr
