"""The denominators of `single_post` and `post_to_screen`: servers that do nothing of ours."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from shared.pause import until
from shared.store.embedded import free_port


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """ASGI: 202 to every POST."""
    if scope["type"] != "http":
        return
    await accept(send)


async def accept(send: Any) -> None:
    """Answer 202 without a body."""
    await send(
        {"type": "http.response.start", "status": 202, "headers": [(b"content-length", b"0")]}
    )
    await send({"type": "http.response.body", "body": b""})


@contextmanager
def serving(application: str) -> Iterator[tuple[int, int]]:
    """(port, pid) of uvicorn serving `module:app` with the product's loop and protocols."""
    port = free_port()
    command = [
        sys.executable, "-m", "uvicorn", application, "--port", str(port), "--loop", "uvloop",
        "--http", "httptools", "--ws", "websockets-sansio", "--no-access-log",
        "--log-level", "error", "--lifespan", "off",
    ]  # fmt: skip
    server = subprocess.Popen(command, start_new_session=True)
    try:
        assert until(lambda: _listens(port), 20), "the bare server did not start"
        yield port, server.pid
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
