"""The MQTT subscriber: a message is acknowledged to the broker only when it is durable here.

The session outlives the process, so what comes while it is away waits at the broker, and what was
not acknowledged is delivered again: the natural key makes that harmless.
"""

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from services.ingest import metrics
from services.ingest.doors.mqtt import Template
from shared.errors import Misconfigured, Overloaded, Unavailable
from shared.settings import Settings
from shared.web.problems import Problem

_log = logging.getLogger(__name__)

AT_ONCE = 200  # messages judged side by side
AGAIN_SECONDS = 1.0
SESSION_SECONDS = 7 * 86_400  # the broker keeps an absent subscriber's messages as long

Take = Callable[[str, bytes, bool], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Broker:
    """Where and how to connect. `group` "": not shared with other replicas."""

    host: str
    port: int
    username: str | None
    password: str | None
    tls: ssl.SSLContext | None
    version: str
    client_id: str
    group: str
    in_flight: int


def broker_of(settings: Settings) -> Broker:
    """Raises `Misconfigured` for what is no address."""
    parts = urlsplit(settings.mqtt_url or "")
    if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
        raise Misconfigured("YIWANG_MQTT_URL is not mqtt://… or mqtts://…")
    if settings.mqtt_group and settings.mqtt_version != "5":
        raise Misconfigured("YIWANG_MQTT_GROUP (a shared subscription) needs MQTT 5")
    tls = None
    if parts.scheme == "mqtts":
        tls = ssl.create_default_context(cafile=settings.mqtt_ca_file)
        if settings.mqtt_cert_file is not None:
            tls.load_cert_chain(settings.mqtt_cert_file, settings.mqtt_cert_key_file)
    return Broker(
        parts.hostname, parts.port or (8883 if tls else 1883),
        unquote(parts.username) if parts.username else None,
        unquote(parts.password) if parts.password else None,
        tls, settings.mqtt_version, settings.mqtt_client_id, settings.mqtt_group,
        settings.mqtt_in_flight,
    )  # fmt: skip


class _Queue(asyncio.Queue[aiomqtt.Message]):
    """Remembers that a message found no room: it must be delivered again."""

    overflowed = False

    def put_nowait(self, item: aiomqtt.Message) -> None:
        try:
            super().put_nowait(item)
        except asyncio.QueueFull:
            self.overflowed = True
            raise


class Subscriber:
    """`take(topic, payload, retained)` makes a message durable; it raises `Unavailable`, or
    `Problem` 429, when it is to be offered again."""

    def __init__(self, broker: Broker, templates: Sequence[Template], take: Take) -> None:
        self._broker = broker
        self._templates = templates
        self._take = take
        self._connected = False

    async def check(self) -> str | None:
        """For `/readyz`."""
        return None if self._connected else "not connected to the MQTT broker"

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`. Raises `Unavailable` when the broker goes away: run it again."""
        try:
            async with self._client() as client:
                for template in self._templates:
                    await self._subscribe(client, template.filter)
                self._connected = True
                await self._serve(client, stop)
        except aiomqtt.MqttError as error:
            raise Unavailable(f"MQTT broker: {error}") from error
        finally:
            self._connected = False

    def _client(self) -> aiomqtt.Client:
        broker = self._broker
        five = broker.version == "5"
        session: dict[str, Any] = {"clean_session": False}
        if five:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.SessionExpiryInterval = SESSION_SECONDS
            properties.ReceiveMaximum = broker.in_flight
            session = {"clean_start": False, "properties": properties}
        client = aiomqtt.Client(
            broker.host, broker.port, username=broker.username, password=broker.password,
            identifier=broker.client_id, tls_context=broker.tls, queue_type=_Queue,
            protocol=aiomqtt.ProtocolVersion.V5 if five else aiomqtt.ProtocolVersion.V311,
            max_queued_incoming_messages=2 * broker.in_flight, keepalive=20, **session,
        )  # fmt: skip
        client._client.manual_ack_set(True)
        return client

    async def _subscribe(self, client: aiomqtt.Client, pattern: str) -> None:
        if self._broker.group:
            pattern = f"$share/{self._broker.group}/{pattern}"
        for code in await client.subscribe(pattern, qos=1):
            value = code if isinstance(code, int) else code.value
            if value >= 128:
                raise Unavailable(f"MQTT broker refuses the subscription {pattern}")

    async def _serve(self, client: aiomqtt.Client, stop: asyncio.Event) -> None:
        incoming = client.messages
        stopping = asyncio.ensure_future(stop.wait())
        try:
            while True:
                coming = asyncio.ensure_future(anext(incoming))
                await asyncio.wait({coming, stopping}, return_when=asyncio.FIRST_COMPLETED)
                if not coming.done():
                    coming.cancel()
                    return
                batch = [coming.result()]
                while len(batch) < AT_ONCE and len(incoming):
                    batch.append(await anext(incoming))
                await asyncio.gather(*(self._one(client, one, stop) for one in batch))
                if client._queue.overflowed:  # type: ignore[attr-defined]
                    metrics.MQTT_OVERFLOWS.inc()
                    raise Unavailable("MQTT: more came than is allowed in flight; connecting anew")
        finally:
            stopping.cancel()

    async def _one(
        self, client: aiomqtt.Client, message: aiomqtt.Message, stop: asyncio.Event
    ) -> None:
        payload = message.payload if isinstance(message.payload, bytes) else b""
        while not stop.is_set():
            try:
                await self._take(str(message.topic), payload, message.retain)
            except (Unavailable, Problem) as error:
                _log.warning("MQTT: %s: %s; trying again", message.topic, error)
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), _pause(error))
            else:
                if message.qos:
                    client._client.ack(message.mid, message.qos)
                return


def _pause(error: Exception) -> float:
    if isinstance(error, Problem):
        return float(error.headers.get("retry-after", AGAIN_SECONDS))
    return float(error.retry_after_seconds) if isinstance(error, Overloaded) else AGAIN_SECONDS
