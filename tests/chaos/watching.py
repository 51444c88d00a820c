"""Those who look on: a receiver of webhooks that writes down what came, screens, and a balance."""

import asyncio
import json
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from examples.live import LiveClient
from tests.chaos.journal import Journal


class Receiver:
    """Answers 204 once a webhook is written down. `opened`: subjects of incidents that opened."""

    def __init__(self, journal: Journal) -> None:
        self.opened: set[str] = set()
        self._journal = journal
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self.url = f"http://127.0.0.1:{self.port}/hook"
        threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True).start()

    def close(self) -> None:
        """Nobody answers any more."""
        self._server.shutdown()
        self._server.server_close()

    def take(self, headers: dict[str, str], body: bytes) -> None:
        """One message."""
        event = json.loads(body)
        data = event["data"]
        self._journal.write({
            "id": headers["webhook-id"], "type": event["type"], "incident": data["id"],
            "version": data["version"],
        })  # fmt: skip
        self.opened.update(data["subjects"])

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["content-length"])
                body = self.rfile.read(length)
                if len(body) < length:  # its sender died in the middle
                    self.close_connection = True
                    return
                receiver.take({k.lower(): v for k, v in self.headers.items()}, body)
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        return Handler


class Screen:
    """One screen, at whichever replica answers."""

    def __init__(self, addresses: Sequence[str], token: str, first: int) -> None:
        sockets = [f"ws{address.removeprefix('http')}/v1/live" for address in addresses]
        self._client = LiveClient([*sockets[first:], *sockets[:first]], token)

    async def run(self) -> None:
        """Until cancelled."""
        await self._client.run()

    def value(self, sensor: str) -> float | None:
        """What it shows of a sensor."""
        picture = self._client.picture
        for (name, _), value in zip(picture.series, picture.value, strict=False):
            if name == sensor:
                return value
        return None

    def subjects(self) -> set[str]:
        """Of the incidents that it shows."""
        return {s for one in self._client.picture.incidents.values() for s in one["subjects"]}

    def shown(self) -> dict[str, Any]:
        """Its picture, to be compared."""
        picture = self._client.picture
        columns = zip(picture.series, picture.value, picture.observed_at, strict=True)
        return {
            "series": [[*key, value, at] for key, value, at in columns if at is not None],
            "incidents": {
                name: [one["version"], one["state"], one["alert_state"]]
                for name, one in picture.incidents.items()
            },
        }


def resident_bytes(pid: int) -> int:
    """Of a process; 0 when it is gone."""
    try:
        words = Path(f"/proc/{pid}/statm").read_text().split()
    except OSError:
        return 0
    return int(words[1]) * 4096


async def weigh(pids: Any, journal: Journal, every: float = 2.0) -> None:
    """Write down what every process weighs, until cancelled. `pids`: called for name → pid."""
    while True:
        for name, pid in pids().items():
            size = resident_bytes(pid)
            if size:
                journal.write({"name": name, "pid": pid, "bytes": size})
        await asyncio.sleep(every)
