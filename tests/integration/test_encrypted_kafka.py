"""Kafka over TLS and with a password, against a real broker with a certificate made here."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from deploy.local import kafka, parts
from deploy.local.process import end
from shared.contracts.topics import READINGS
from shared.errors import Misconfigured, Unavailable
from shared.eventlog import kafka as kafka_log
from shared.eventlog.kafka_access import access_of
from shared.eventlog.log import Outgoing, Record
from shared.eventlog.open import open_log
from shared.settings import Settings
from tests import certificates
from tests.certificates import Certificate

STOP_SECONDS = 15.0
LOGIN = "org.apache.kafka.common.security.{}LoginModule required"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificates.make(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def broker(certificate: Certificate, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One door, with both ways to log in."""
    reason = parts.available()["kafka"]
    if reason is not None:
        pytest.skip(f"NO KAFKA: {reason}")
    listener = "listener.name.sasl_ssl"
    plain = f'{LOGIN.format("plain.Plain")} username="broker" password="b" user_broker="b"'
    properties = {
        "ssl.keystore.type": "PEM", "ssl.keystore.location": str(certificate.both),
        "ssl.truststore.type": "PEM", "ssl.truststore.location": str(certificate.authority),
        "sasl.enabled.mechanisms": "SCRAM-SHA-512,PLAIN",
        "sasl.mechanism.inter.broker.protocol": "PLAIN",
        f"{listener}.plain.sasl.jaas.config": f'{plain} user_city="plain-password";',
        f"{listener}.scram-sha-512.sasl.jaas.config": f"{LOGIN.format('scram.Scram')};",
    }  # fmt: skip
    folder = tmp_path_factory.mktemp("broker")
    access = kafka.Access("SASL_SSL", properties, {"city": "scram-password"})
    process, address = kafka.start(folder, access=access)
    try:
        kafka.wait_ready(process, folder)
        yield address
    finally:
        end({process: signal.SIGTERM}, STOP_SECONDS)


def settings(broker: str, certificate: Certificate, **more: Any) -> Settings:
    own: dict[str, Any] = {
        "kafka_bootstrap": broker, "kafka_security": "sasl_tls", "kafka_username": "city",
        "kafka_password": "scram-password", "kafka_ca_file": certificate.authority,
    }  # fmt: skip
    return Settings(**(own | more))


@pytest.mark.parametrize(
    "login",
    [{}, {"kafka_mechanism": "PLAIN", "kafka_password": "plain-password"}],
    ids=["SCRAM", "PLAIN"],
)
async def test_records_go_through(
    broker: str, certificate: Certificate, login: dict[str, Any]
) -> None:
    log = await open_log(settings(broker, certificate, **login), "")
    try:
        value = uuid4().bytes
        [position] = await log.publish([Outgoing(READINGS, "x", value)])
        async with log.read(READINGS, {position.partition: position.offset}) as reader:
            found: list[Record] = []
            while not found:
                found = [one for one in await reader.batch(10, 5) if one.value == value]
        async with log.consume(READINGS, "somebody") as consumer:
            await consumer.commit({position.partition: position.offset})
        assert await log.lag(READINGS, "somebody") > 0
    finally:
        await log.close()


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker that lets nobody in is given up soon."""
    monkeypatch.setattr(kafka_log, "START_SECONDS", 4.0)


@pytest.mark.usefixtures("hurried")
async def test_a_wrong_password_is_refused(broker: str, certificate: Certificate) -> None:
    with pytest.raises(Unavailable) as refusal:
        await open_log(settings(broker, certificate, kafka_password="guessed-secret"), "")
    assert "guessed-secret" not in str(refusal.value)


@pytest.mark.usefixtures("hurried")
async def test_a_broker_that_is_another_s_is_not_trusted(
    broker: str, certificate: Certificate, tmp_path: Path
) -> None:
    stranger = certificates.make(tmp_path).authority
    for wrong in ({"kafka_ca_file": stranger}, {"kafka_ca_file": None}):
        with pytest.raises(Unavailable):
            await open_log(settings(broker, certificate, **wrong), "")


def test_half_a_setting_is_told(certificate: Certificate, tmp_path: Path) -> None:
    for wrong, words in (
        ({"kafka_username": ""}, "YIWANG_KAFKA_USERNAME"),
        ({"kafka_ca_file": tmp_path / "none"}, "YIWANG_KAFKA_…_FILE"),
        ({"kafka_cert_file": certificate.authority}, "YIWANG_KAFKA_…_FILE"),
    ):
        with pytest.raises(Misconfigured, match=words):
            access_of(settings("127.0.0.1:1", certificate, **wrong))
