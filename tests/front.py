"""The real nginx as the one origin before services that run here."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import which

import pytest

from shared.store.embedded import free_port
from tests.shape import ROOT, Shape
from tests.waiting import until

TEMPLATE = ROOT / "deploy" / "nginx" / "default.conf.template"
SYSTEM_PATH = "/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin"


@contextmanager
def nginx(folder: Path, shape: Shape) -> Iterator[str]:
    """Its address."""
    program = which("nginx", path=SYSTEM_PATH)
    if program is None:
        pytest.skip("NO NGINX: Debian's package `nginx-light` is not installed")
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    _configure(folder, shape, port)
    log = folder / "error.log"
    command = [program, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(log)]
    tried = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert tried.returncode == 0, tried.stderr
    process = subprocess.Popen(command, start_new_session=True)
    try:
        assert until(lambda: (folder / "nginx.pid").exists(), 20), log.read_text()
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(90)


def _configure(folder: Path, shape: Shape, port: int) -> None:
    """As nginx's image does: the template's variables are filled in, nginx's own are left alone."""
    text = TEMPLATE.read_text(encoding="utf-8")
    given = {"FRONT_HOST": "127.0.0.1", "FRONT_PORT": str(port)}
    given |= {
        name.upper(): f"127.0.0.1:{shape.ports[name]}"
        for name in ("gateway", "alerts", "ops_center")
    }
    for name, value in given.items():
        text = text.replace(f"${{YIWANG_{name}}}", value)
    assert "${" not in text
    (folder / "default.conf").write_text(text)
    paths = "".join(
        f"{kind}_temp_path {folder}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off; worker_processes 1; pid {folder}/nginx.pid;\n"
        f"events {{ worker_connections 256; }}\n"
        f"http {{ access_log off; {paths} include {folder}/default.conf; }}\n"
    )
