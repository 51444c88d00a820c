"""A real MQTT broker for a test: Debian's mosquitto, with a configuration of its own."""

import os
import shutil
import signal
import socket
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import aiomqtt
import pytest

from shared.store.embedded import free_port
from tests.waiting import until

PROGRAM = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}{os.pathsep}/usr/sbin")
CONFIGURATION = """
listener {port} 127.0.0.1
allow_anonymous false
password_file {folder}/passwords
persistence true
persistence_location {folder}/
autosave_on_changes true
autosave_interval 1
max_queued_messages 100000
user {user}
"""
USER, PASSWORD = "city", "geheim"


@dataclass
class Broker:
    """`url` carries the credentials."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        """As the settings take it."""
        return f"mqtt://{USER}:{PASSWORD}@127.0.0.1:{self.port}"

    def start(self) -> "Broker":
        """Start and wait until it listens."""
        if PROGRAM is None:
            pytest.skip("NO MOSQUITTO: the program is not installed")
        self.folder.mkdir(parents=True, exist_ok=True)
        passwords = self.folder / "passwords"
        if not passwords.exists():
            passwords.touch()
            hasher = shutil.which("mosquitto_passwd") or "mosquitto_passwd"
            subprocess.run([hasher, "-b", str(passwords), USER, PASSWORD], check=True)
        values = {"port": self.port, "folder": self.folder, "user": _user()}
        (self.folder / "broker.conf").write_text(CONFIGURATION.format(**values))
        with (self.folder / "broker.log").open("ab") as sink:
            self.process = subprocess.Popen(
                [PROGRAM, "-c", str(self.folder / "broker.conf")], stdout=sink, stderr=sink
            )
        assert until(self._listens, 10), (self.folder / "broker.log").read_text()
        return self

    def end(self) -> None:
        """SIGTERM and wait."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(90)

    def client(self, identifier: str = "device") -> aiomqtt.Client:
        """A device's connection."""
        return aiomqtt.Client(
            "127.0.0.1", self.port, username=USER, password=PASSWORD, identifier=identifier
        )

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


def _user() -> str:
    import pwd

    return pwd.getpwuid(os.getuid()).pw_name
