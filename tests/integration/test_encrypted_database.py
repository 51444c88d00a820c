"""PostgreSQL over TLS, against a real server with a certificate made here."""

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from deploy.local import parts, timescale
from deploy.migrations.upgrade import upgrade
from shared.errors import Unavailable
from shared.eventlog.postgres import PostgresLog
from shared.store import embedded
from shared.store.engine import connect, make_engine
from tests import certificates
from tests.certificates import Certificate


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificates.make(tmp_path_factory.mktemp("certificates"))


class Encrypted:
    """The programs of the production shape's server (the embedded one's know no TLS)."""

    def __init__(self, programs: embedded.Programs) -> None:
        self.settings: Mapping[str, str] = {
            **programs.settings,
            "ssl": "on",
            "shared_buffers": "64MB",
        }
        self.seen, self.owner, self.command = programs.seen, programs.owner, programs.command


@pytest.fixture(scope="module")
def server(certificate: Certificate, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One that speaks TLS only."""
    reason = parts.available()["database"]
    if reason is not None:
        pytest.skip(f"NO POSTGRESQL WITH TLS: {reason}")
    folder, programs = tmp_path_factory.mktemp("server") / "database", timescale.programs()
    embedded.stop(embedded.start(folder, programs))
    _encrypt(folder / "data", certificate, programs.owner())
    made = embedded.start(folder, Encrypted(programs))
    yield made.url
    embedded.stop(made)


def _encrypt(data: Path, certificate: Certificate, owner: tuple[int, int] | None) -> None:
    for name, source in (("server.crt", certificate.certificate), ("server.key", certificate.key)):
        shutil.copy(source, data / name)
        (data / name).chmod(0o600)
        if owner is not None:
            os.chown(data / name, *owner)
    rules = data / "pg_hba.conf"
    rules.write_text("hostnossl all all all reject\n" + rules.read_text())


async def test_everything_goes_over_tls(server: str, certificate: Certificate) -> None:
    url = f"{server}?sslmode=verify-full&sslrootcert={certificate.authority}"
    upgrade(url)
    engine = make_engine(url)
    query = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
    async with engine.connect() as connection:
        assert (await connection.execute(text(query))).scalar() is True
    await engine.dispose()
    log = await PostgresLog(url).open()
    await log.close()


async def test_a_server_that_is_another_s_is_not_trusted(server: str, tmp_path: Path) -> None:
    stranger = certificates.make(tmp_path).authority
    url = f"{server}?sslmode=verify-full&sslrootcert={stranger}"
    with pytest.raises(Unavailable):
        await connect(url)
    engine = make_engine(url)
    with pytest.raises(OperationalError):
        async with engine.connect():
            pass
    await engine.dispose()
    with pytest.raises(Unavailable):
        await connect(f"{server}?sslmode=disable")
