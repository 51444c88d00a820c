"""What a process says of itself unasked: whether it is ready, its disk, its certificate."""

import asyncio
import logging
import shutil
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path

from cryptography import x509

from shared.metrics import CERTIFICATE_ENDS, DISK_FREE, DISK_SIZE
from shared.settings import Settings

_log = logging.getLogger(__name__)

EVERY_SECONDS = 10.0


class Vitals:
    """`run` is a job. `unready`: asks every check, and sets the gauge."""

    def __init__(
        self,
        settings: Settings,
        unready: Callable[[], Awaitable[Mapping[str, str]]],
        every_seconds: float = EVERY_SECONDS,
    ) -> None:
        self._settings = settings
        self._unready = unready
        self._every_seconds = every_seconds

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`."""
        known: set[str] = set()
        while not stop.is_set():
            reasons = await self._unready()
            for name in sorted(reasons.keys() - known):
                _log.warning("not ready: %s: %s", name, reasons[name])
            known = set(reasons)
            self.look()
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), self._every_seconds)

    def look(self) -> None:
        """Once, at disk and certificate."""
        usage = shutil.disk_usage(nearest(self._settings.data_dir.resolve()))
        DISK_FREE.set(usage.free)
        DISK_SIZE.set(usage.total)
        certificate = self._settings.tls_cert_file
        if certificate is not None:
            CERTIFICATE_ENDS.labels(str(certificate)).set(ends_at(certificate))


def ends_at(certificate: Path) -> float:
    """End of a PEM file's first certificate, epoch seconds. Raises `ValueError` or `OSError`."""
    return x509.load_pem_x509_certificate(certificate.read_bytes()).not_valid_after_utc.timestamp()


def nearest(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    return next(path for path in (folder, *folder.parents) if path.exists())
