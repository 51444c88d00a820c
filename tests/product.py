"""The real product as a subprocess: `python -m services` on a free port and its own data."""

import json
import os
import signal
import ssl
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from shared.store.embedded import free_port
from tests.waiting import until

ROOT = Path(__file__).parents[1]


@dataclass
class Product:
    """One city. `settings`: further `YIWANG_…` variables, without the prefix."""

    data_dir: Path
    settings: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None
    module: str = "services"
    authority: Path | None = None  # serves HTTPS, by a certificate that this one signed

    @property
    def url(self) -> str:
        """Base address."""
        return f"{'https' if self.authority else 'http'}://127.0.0.1:{self.port}"

    @property
    def trust(self) -> ssl.SSLContext:
        """What a client needs to trust it."""
        return ssl.create_default_context(cafile=self.authority)

    @property
    def log(self) -> Path:
        """What it printed."""
        return self.data_dir / "product.log"

    @property
    def credentials(self) -> dict[str, Any]:
        """What its first start kept."""
        known: dict[str, Any] = json.loads((self.data_dir / "credentials.json").read_text())
        return known

    def start(self, seconds: float = 60.0) -> "Product":
        """Start and wait until it is ready; AssertionError with its log otherwise."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        own = {"DATA_DIR": str(self.data_dir), "PORT": str(self.port), "SIMULATOR": "off"}
        own |= {"WATCH": "off"}
        variables = {f"YIWANG_{name}": value for name, value in (own | self.settings).items()}
        with self.log.open("ab") as sink:
            self.process = subprocess.Popen(
                [sys.executable, "-m", self.module],
                cwd=ROOT, env=os.environ | variables, stdout=sink, stderr=sink,
                start_new_session=True,
            )  # fmt: skip
        ready = until(lambda: self.ready() or self.process.poll() is not None, seconds)  # type: ignore[union-attr]
        if not (ready and self.ready()):
            self.stop()
            raise AssertionError(self.log.read_text(errors="replace")[-5000:])
        return self

    def ready(self) -> bool:
        """True when `/readyz` says so."""
        try:
            answer = httpx.get(f"{self.url}/readyz", timeout=2, verify=self.trust)
            return answer.status_code == 200
        except httpx.HTTPError:
            return False

    def stop(self) -> float | None:
        """SIGTERM and wait; its exit code."""
        return self._end(signal.SIGTERM)

    def kill(self) -> None:
        """`kill -9`: its database is left an orphan."""
        self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> int | None:
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(90)

    def database_url(self) -> str:
        """The embedded database's address."""
        folder = self.data_dir / "postgres"
        port = (folder / "data" / "postmaster.pid").read_text().splitlines()[3]
        password = (folder / "password").read_text()
        return f"postgresql://yiwang:{password}@127.0.0.1:{port}/postgres"

    def client(self) -> httpx.Client:
        """HTTP with the first posting key."""
        headers = {"Authorization": f"Bearer {self.credentials['api_key']}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=20, verify=self.trust)
