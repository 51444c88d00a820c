"""How public warnings are wired: our own, and what neighbouring cities and we tell each other."""

import asyncio

from services.alerts.cap.message import Sender
from services.alerts.cap.publisher import Publisher
from services.alerts.cap.routes import cap_router
from services.alerts.duties.files import Book
from services.alerts.neighbours.mailbox import Mailbox
from services.alerts.neighbours.repository import Neighbours
from services.alerts.neighbours.routes import WhyRefuse, neighbours_router
from services.alerts.neighbours.routes_warnings import warnings_router
from services.alerts.neighbours.sharing import Sharing
from shared.runtime import Context, Service
from shared.settings import Settings


def warnings(context: Context, book: Book, why_refuse: WhyRefuse, due: asyncio.Event) -> Service:
    """Both. `due`: the deliverer's."""
    own, region = _public(context, book), _neighbours(context, book, why_refuse, due)
    return Service(
        "alerts-warnings",
        routers=[*own.routers, *region.routers],
        jobs={**own.jobs, **region.jobs},
    )


def _public(context: Context, book: Book) -> Service:
    """The CAP feed, unless it is off. A simulated city only exercises."""
    settings = context.settings
    if settings.cap_level == "off":
        return Service("alerts-cap")
    sender = _sender(settings)
    names = {code: (one.name_zh, one.name_en) for code, one in book.categories.items()}
    engine, clock = context.engine, context.clock
    publisher = Publisher(engine, clock, sender, settings.cap_level, names, str(settings.city))
    return Service(
        "alerts-cap",
        routers=[cap_router(engine, clock, sender.address, settings.public_url)],
        jobs={"alerts-cap": publisher.run},
    )


def _neighbours(context: Context, book: Book, why_refuse: WhyRefuse, due: asyncio.Event) -> Service:
    """Neighbouring cities: what they are told, and what they warn of."""
    settings, engine, clock = context.settings, context.engine, context.clock
    sender = _sender(settings)
    desk = Neighbours(engine, clock, sender.address)
    mailbox = Mailbox(engine, clock, sender.address, sender.code)
    categories, level = book.categories.keys(), settings.cap_level
    return Service(
        "alerts-region",
        routers=[
            neighbours_router(desk, why_refuse, settings.city, categories, level),
            warnings_router(mailbox, engine, clock),
        ],
        jobs={"alerts-neighbours": Sharing(engine, clock, due).run},
    )


def _sender(settings: Settings) -> Sender:
    return Sender(
        settings.cap_sender,
        settings.cap_sender_code or f"{settings.city:06}00000000",
        "Exercise" if settings.simulator == "on" else "Actual",
    )
