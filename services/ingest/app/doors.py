"""The doors beside HTTP posts: topics, MQTT, other platforms' notifications, mended items."""

import sys
from functools import partial
from typing import Any

from fastapi import APIRouter

from services.ingest.app.entry import Door, make_intake, quarantine_bound
from services.ingest.border.acceptance import rights_of
from services.ingest.border.decode import Items
from services.ingest.border.group_commit import GroupCommit
from services.ingest.border.intake import Intake
from services.ingest.border.judge import Rights
from services.ingest.border.normaliser import ANONYMOUS, Normaliser, Source
from services.ingest.doors.entrance import Entrance
from services.ingest.doors.mailbox import Mailbox, dialects
from services.ingest.doors.mappings import Mappings
from services.ingest.doors.mqtt import parse_templates, read_mqtt
from services.ingest.doors.readmission import Readmission
from services.ingest.doors.routes import doors_router, readers
from services.ingest.doors.subscriber import Subscriber, broker_of
from services.ingest.quarantine.changes import Changes
from services.ingest.quarantine.repository import Quarantine
from services.ingest.quarantine.routes import quarantine_router
from services.ingest.quarantine.routes_mending import mending_router
from services.ingest.quarantine.workshop import Workshop
from services.ingest.registry.lookup import Registry
from shared.errors import Misconfigured
from shared.runtime import Context
from shared.web.identity import Identity


def make_subscriber(context: Context, registry: Registry, door: Door) -> Subscriber:
    """A broker's messages → the doors. Raises `Misconfigured` without a key."""
    settings = context.settings
    if settings.mqtt_key is None:
        raise Misconfigured("YIWANG_MQTT_KEY is not set")
    publish = GroupCommit(context.log, door.guard.heard).publish
    quarantine = Quarantine(context.engine)
    entrance = Entrance(make_intake(context, registry), publish, quarantine, door.guard.check)
    identify = partial(context.authenticator.identify, settings.mqtt_key)
    templates = parse_templates(settings.mqtt_topics)
    mailbox = Mailbox(
        entrance, Mappings(context.engine), door.quotas, identify, templates, context.clock
    )
    return Subscriber(broker_of(settings), templates, mailbox.take)


def workshop_and_doors(
    context: Context,
    registry: Registry,
    quarantine: Quarantine,
    door: Door,
    commits: GroupCommit,
) -> list[APIRouter]:
    """Routers of the doors and of what was set aside."""
    unbounded = Intake(registry, context.clock, sys.maxsize)
    mappings = Mappings(context.engine)
    templates = parse_templates(context.settings.mqtt_topics)

    async def from_mqtt(item: Any) -> Items:
        return read_mqtt(item, templates, await dialects(mappings))

    formats = {**readers(mappings), "mqtt": from_mqtt}
    readmission = Readmission(unbounded, door.quotas, commits.publish, formats)
    intake = make_intake(context, registry)
    entrance = Entrance(intake, commits.publish, quarantine, door.guard.check)
    return [
        doors_router(entrance, mappings, door.quotas),
        quarantine_router(quarantine, quarantine_bound(context)),
        mending_router(Workshop(Changes(context.engine), readmission)),
    ]


def make_normaliser(context: Context, registry: Registry, door: Door) -> Normaliser:
    """`city.inbox` → `city.readings`."""

    async def source_of(token: str) -> Source | None:
        identity = await context.authenticator.identify(token)
        if identity is None:
            return None
        may_post = "post" in identity.scopes or identity.role == "admin"
        account = door.quotas.account(identity)
        return Source(identity.name, may_post, rights_of(identity), account)

    nameless = Identity("key", ANONYMOUS, "", frozenset(["post"]), f"topic:{ANONYMOUS}")
    anonymous = Source(ANONYMOUS, True, Rights(), door.quotas.account(nameless))
    intake = make_intake(context, registry)
    quarantine = Quarantine(context.engine)
    return Normaliser(context.log, intake, source_of, anonymous, quarantine, door.guard,
        context.settings.max_body_bytes,
    )  # fmt: skip
