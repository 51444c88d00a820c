"""What a process says of itself unasked, and what its log lines are about."""

import asyncio
import json
import logging
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shared import logs, metrics
from shared.settings import Settings
from shared.vitals import Vitals, ends_at
from tests.certificates import make


async def nothing() -> dict[str, str]:
    return {}


def test_disk_and_certificate_are_told_before_the_data_directory_is_there(tmp_path: Path) -> None:
    certificate = make(tmp_path)
    settings = Settings(
        data_dir=tmp_path / "not" / "yet",
        tls_cert_file=certificate.certificate,
        tls_key_file=certificate.key,
    )
    Vitals(settings, nothing).look()
    free, size = metrics.DISK_FREE._value.get(), metrics.DISK_SIZE._value.get()
    assert 0 < free <= size
    told = metrics.CERTIFICATE_ENDS.labels(str(certificate.certificate))._value.get()
    assert told == ends_at(certificate.certificate) > datetime.now(UTC).timestamp()


async def test_what_is_not_ready_is_logged_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stop, looks = asyncio.Event(), 0

    async def unready() -> dict[str, str]:
        nonlocal looks
        looks += 1
        if looks == 3:
            stop.set()
        return {"database": "it is away"}

    vitals = Vitals(Settings(data_dir=tmp_path), unready, every_seconds=0.0)
    await vitals.run(stop)
    assert [record.getMessage() for record in caplog.records] == ["not ready: database: it is away"]


async def test_lines_say_what_they_are_about_and_tasks_do_not_mix() -> None:
    def line() -> dict[str, str]:
        record = logging.LogRecord("x", logging.INFO, "", 0, "said", (), None)
        told: dict[str, str] = json.loads(logs.JsonFormatter().format(record))
        return {name: told[name] for name in ("job", "request") if name in told}

    async def job(name: str) -> dict[str, str]:
        logs.about(job=name)
        await asyncio.sleep(0)
        return line()

    assert list(await asyncio.gather(job("a"), job("b"))) == [{"job": "a"}, {"job": "b"}]
    assert line() == {}
