"""A message of the MQTT subscriber into the intake, with the rights and quota of its key."""

import json
from collections.abc import Awaitable, Callable, Sequence

from services.ingest import metrics
from services.ingest.border.intake import TooManyItems
from services.ingest.doors.charging import charged
from services.ingest.doors.entrance import Entrance
from services.ingest.doors.found import written
from services.ingest.doors.mappings import Mappings
from services.ingest.doors.mqtt import Dialects, Template, message, read_mqtt
from services.ingest.keys.quotas import Quotas
from shared.clock import Clock, to_micros
from shared.contracts.reading import ItemCode
from shared.errors import Unavailable
from shared.web.identity import Identity
from shared.web.problems import Problem

Identify = Callable[[], Awaitable[Identity | None]]


async def dialects(mappings: Mappings) -> Dialects:
    """What names mean at the moment, in everything that MQTT may carry."""
    return Dialects(
        await mappings.names("mqtt"),
        await mappings.names("ngsi"),
        await mappings.names("sensorthings"),
    )


class Mailbox:
    """`identify` answers with the identity of the key that the settings name."""

    def __init__(
        self,
        entrance: Entrance,
        mappings: Mappings,
        quotas: Quotas,
        identify: Identify,
        templates: Sequence[Template],
        clock: Clock,
    ) -> None:
        self._entrance = entrance
        self._mappings = mappings
        self._quotas = quotas
        self._identify = identify
        self._templates = templates
        self._clock = clock

    async def take(self, topic: str, payload: bytes, retained: bool) -> None:
        """Durable when it returns, in the log or in quarantine. Raises `Unavailable`, or
        `Problem` 429 for what must come again later."""
        identity = await self._identify()
        if identity is None or not ("post" in identity.scopes or identity.role == "admin"):
            raise Unavailable("YIWANG_MQTT_KEY is not valid for posting: messages wait")
        item = message(topic, payload, written(to_micros(self._clock())))
        if retained and "received_at" in item:
            metrics.MQTT_RETAINED.inc()  # an old value without a time of its own: not news
            return
        raw = json.dumps(item, ensure_ascii=False).encode("utf-8", "surrogatepass")
        try:
            with charged(self._quotas, identity, len(payload)) as charge:
                adapted = read_mqtt(item, self._templates, await dialects(self._mappings))
                charge(len(adapted), 0)
                await self._entrance.enter(adapted, "mqtt", identity)
        except TooManyItems as error:
            await self._refuse(raw, identity, str(error))
        except Problem as problem:
            if problem.status != 413:
                raise
            await self._refuse(raw, identity, problem.detail)

    async def _refuse(self, raw: bytes, identity: Identity, detail: str) -> None:
        await self._entrance.set_aside(raw, "mqtt", identity.name, ItemCode.TOO_LARGE, detail)
