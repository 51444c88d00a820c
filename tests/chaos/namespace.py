"""A network namespace per process, where the machine allows: a partition is then the kernel's."""

import ctypes
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

_CLONE_NEWNET = 0x4000_0000
_FOLDER = Path("/run/netns")


class Namespace:
    """`prefix`: the words before a command that is to run inside. Nothing leads out of it but
    sockets that were made inside and are used outside."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.prefix = ("ip", "netns", "exec", name)

    @staticmethod
    def reason_it_cannot_be() -> str | None:
        """None when namespaces can be made here."""
        if os.geteuid() != 0 or shutil.which("ip") is None:
            return "network namespaces need root and iproute2"
        trial = f"yiwang-trial-{os.getpid()}"
        made = subprocess.run(["ip", "netns", "add", trial], capture_output=True, check=False)
        subprocess.run(["ip", "netns", "del", trial], capture_output=True, check=False)
        return None if made.returncode == 0 else made.stderr.decode().strip()

    def make(self) -> None:
        """With its own loopback."""
        _ip("netns", "add", self.name)
        self.connect()

    def connect(self) -> None:
        """Packets flow."""
        _ip("-n", self.name, "link", "set", "lo", "up")

    def part(self) -> None:
        """No packet flows, of no connection, in no direction."""
        _ip("-n", self.name, "link", "set", "lo", "down")

    def remove(self) -> None:
        """It is gone with its last process."""
        subprocess.run(["ip", "netns", "del", self.name], capture_output=True, check=False)

    def listening(self, port: int) -> socket.socket:
        """A socket that listens inside."""

        def make() -> socket.socket:
            made = socket.create_server(("127.0.0.1", port), backlog=512)
            made.setblocking(False)
            return made

        return self._inside(make)

    def dialling(self) -> socket.socket:
        """A socket that connects inside."""

        def make() -> socket.socket:
            made = socket.socket()
            made.setblocking(False)
            return made

        return self._inside(make)

    def _inside(self, make: Callable[[], socket.socket]) -> socket.socket:
        """A thread of its own enters: the others stay where they are."""
        made: list[socket.socket] = []

        def enter() -> None:
            here = os.open(_FOLDER / self.name, os.O_RDONLY)
            try:
                if ctypes.CDLL(None, use_errno=True).setns(here, _CLONE_NEWNET) == 0:
                    made.append(make())
            finally:
                os.close(here)

        thread = threading.Thread(target=enter)
        thread.start()
        thread.join()
        if not made:
            raise OSError(f"no socket in {self.name}")
        return made[0]


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
