"""Composition root of alerts: the only place that wires concretes."""

import asyncio
import logging
from functools import partial

from fastapi import APIRouter

from services.alerts.app.warnings import warnings
from services.alerts.delivery.claims import Claims
from services.alerts.delivery.deliverer import Deliverer
from services.alerts.delivery.discretion import told_of
from services.alerts.delivery.endpoints import Endpoints
from services.alerts.delivery.mail_sender import MailSender, MailServer
from services.alerts.delivery.posting import Posting
from services.alerts.delivery.probing import Probe
from services.alerts.delivery.relay import Relay
from services.alerts.delivery.routes import endpoints_router
from services.alerts.delivery.routes_ledger import deliveries_router
from services.alerts.delivery.sender import Sender
from services.alerts.delivery.settlement import Settlement
from services.alerts.duties import files as duty_files
from services.alerts.duties.files import Book
from services.alerts.duties.performance import Performance
from services.alerts.duties.roster import Roster
from services.alerts.duties.routes import duties_router
from services.alerts.duties.routes_performance import performance_router
from services.alerts.engine.combining import CombiningEngine
from services.alerts.engine.engine import Engine
from services.alerts.engine.places import Places
from services.alerts.engine.repository import Repository
from services.alerts.foresight.forecasts import Forecasts
from services.alerts.foresight.routes import forecast_router
from services.alerts.incidents.families import Families
from services.alerts.incidents.gathering import Gathering
from services.alerts.incidents.jurisdiction import Jurisdiction
from services.alerts.incidents.overdue import Escalation
from services.alerts.incidents.report import Kind
from services.alerts.incidents.reports import Reports
from services.alerts.incidents.repository import Desk
from services.alerts.incidents.routes import incidents_router
from services.alerts.incidents.routes_dependencies import dependencies_router
from services.alerts.incidents.routes_families import families_router
from services.alerts.incidents.routes_reports import reports_router
from services.alerts.incidents.tending import Tending
from services.alerts.oncall import files as oncall_files
from services.alerts.oncall.repository import Repository as OncallRepository
from services.alerts.oncall.routes_duty import duty_router
from services.alerts.oncall.routes_entries import entries_router
from services.alerts.paging.links import SignedLinks, secret
from services.alerts.paging.pager import Pager
from services.alerts.paging.routes import paging_router
from services.alerts.paging.routes_links import links_router
from services.alerts.paging.watchdog import Watchdog
from services.alerts.rehearsal.routes import preview_router
from services.alerts.rehearsal.routes_trial import trial_router
from services.alerts.rehearsal.runner import Previews
from services.alerts.related.relations import Relations
from services.alerts.related.routes import related_router
from services.alerts.rules.repository import Repository as RuleVersions
from services.alerts.rules.routes import rules_router
from services.alerts.rules.source import Rules
from services.alerts.silencing import inhibitions as inhibition_files
from services.alerts.silencing.repository import Silencing
from services.alerts.silencing.routes import silences_router
from shared.contracts.topics import CONDITIONS
from shared.errors import Misconfigured
from shared.runtime import Context, Service
from shared.settings import Settings

_log = logging.getLogger(__name__)


async def build(context: Context) -> Service:
    """Everything of alerts. A wrong rule is logged and left out; a missing folder stops us."""
    settings = context.settings
    if not settings.rules_dir.is_dir():
        raise Misconfigured(f"YIWANG_RULES_DIR: there is no folder {settings.rules_dir}")
    rule_versions = RuleVersions(context.engine)
    rules = Rules(rule_versions)
    await rules.take_in(settings.rules_dir)
    book = duty_files.load(settings.duties_dir)
    roster = Roster(context.engine, book, context.clock)
    await roster.seed()

    oncall = OncallRepository(context.engine, context.clock)
    await oncall.seed(oncall_files.load(settings.rules_dir / "oncall"))

    published, due, attention = asyncio.Event(), asyncio.Event(), asyncio.Event()
    wakes = _All(published, due, attention)
    incarnation = await context.log.incarnation()
    inhibitions, refused = inhibition_files.load(settings.rules_dir / "inhibitions")
    for wrong in refused:
        _log.error("inhibition refused: %s: %s", wrong.file, wrong.detail)
    silencing = Silencing(context.engine, inhibitions, context.clock, wakes, _jurisdiction(book))
    operators = settings.operators_on_duty
    gathering = Gathering(context.clock, silencing, operators, roster)
    repository = Repository(context.engine, incarnation, gathering, wakes)
    whole = Repository(context.engine, incarnation, gathering, wakes, CONDITIONS)
    posting = _posting(settings)
    delivery = _delivery(context, posting, published, due)
    warning = warnings(context, book, posting.reason_to_refuse, due)
    paging = await _paging(context, oncall, Desk(context.engine, wakes, roster), attention, due)

    engines = _engines(context, rules, repository, whole)

    return Service(
        "alerts",
        routers=[
            *_people(context, roster, book, wakes),
            preview_router(Previews(context.database_url), rule_versions.standing, context.clock),
            dependencies_router(context.engine),
            silences_router(silencing, context.clock, inhibitions, refused),
            trial_router(),
            related_router(Relations(context.engine, context.clock)),
            forecast_router(Forecasts(context.engine, rules, context.clock)),
            rules_router(rules, rule_versions),
            *delivery.routers,
            *paging.routers,
            *warning.routers,
        ],
        jobs={
            **engines.jobs,
            **delivery.jobs,
            **paging.jobs,
            **warning.jobs,
            "alerts-rules": rules.follow,
            "alerts-quiet": silencing.run,
            "alerts-tending": Tending(context.engine, context.clock, wakes, operators).run,
            "alerts-overdue": Escalation(context.engine, context.clock, wakes).run,
        },
        checks=engines.checks,
        closers=delivery.closers,
    )


def _posting(settings: Settings) -> Posting:
    """How messages leave."""
    try:
        allowed = settings.webhook_networks
    except ValueError as error:
        raise Misconfigured(f"YIWANG_WEBHOOK_ALLOW_CIDRS: {error}") from error
    return Posting(Sender(allowed), _mail(settings))


def _delivery(
    context: Context, posting: Posting, published: asyncio.Event, due: asyncio.Event
) -> Service:
    """The ways out: the topic, and endpoints of every kind."""
    engine, clock = context.engine, context.clock
    endpoints = Endpoints(engine, clock)
    claims, settlement = Claims(engine, clock), Settlement(engine, clock)
    told = partial(told_of, context.disclosure)
    deliverer = Deliverer(claims, settlement, posting, clock, due, told)
    return Service(
        "alerts-delivery",
        routers=[
            endpoints_router(endpoints, posting.reason_to_refuse, Probe(endpoints, clock, due)),
            deliveries_router(endpoints, due),
        ],
        jobs={
            "alerts-relay": Relay(engine, context.log, published).run,
            "alerts-deliverer": deliverer.run,
        },
        closers=[posting.close],
    )


async def _paging(
    context: Context,
    oncall: OncallRepository,
    desk: Desk,
    attention: asyncio.Event,
    due: asyncio.Event,
) -> Service:
    """From an incident to the person who must know."""
    engine, clock, settings = context.engine, context.clock, context.settings
    links = SignedLinks(await secret(engine), settings.public_url)
    return Service(
        "alerts-paging",
        routers=[
            entries_router(oncall),
            duty_router(oncall, engine, clock),
            paging_router(engine, oncall),
            links_router(links, desk, oncall, clock),
        ],
        jobs={
            "alerts-pager": Pager(engine, oncall, links, clock, attention, due).run,
            "alerts-watchdog": Watchdog(engine, clock, attention, settings.heartbeat_url).run,
        },
    )


def _mail(settings: Settings) -> MailSender:
    """The way out for e-mail, if there is one."""
    if not settings.smtp_url:
        return MailSender(None)
    try:
        return MailSender(MailServer.parse(settings.smtp_url, settings.mail_from))
    except ValueError as error:
        raise Misconfigured(f"YIWANG_SMTP_URL: {error}") from error


def _people(context: Context, roster: Roster, book: Book, wakes: asyncio.Event) -> list[APIRouter]:
    """What people do with incidents, and how well."""
    engine, clock = context.engine, context.clock
    whose = _jurisdiction(book)
    desk = Desk(engine, wakes, roster, whose)
    return [
        families_router(Families(engine, clock, wakes, roster, whose), desk.get),
        incidents_router(desk, clock),
        reports_router(Reports(engine, wakes, roster, _kinds(book), whose), clock),
        duties_router(roster, clock),
        performance_router(Performance(engine), clock),
    ]


def _jurisdiction(book: Book) -> Jurisdiction:
    """Whose incidents are, by what the folder of duties says of categories."""
    return Jurisdiction(
        {code: one.domain for code, one in book.categories.items() if one.domain is not None}
    )


def _kinds(book: Book) -> dict[str, Kind]:
    """What people's reports may be about."""
    return {
        code: Kind(category.name_zh, category.grade, category.priority)
        for code, category in book.categories.items()
    }


def _engines(context: Context, rules: Rules, readings: Repository, whole: Repository) -> Service:
    """Both stages of judging, which take new rules at any time."""
    places = Places(readings)
    engine = Engine(rules.current, places, readings)
    combining = CombiningEngine(rules.current, places, whole)
    rules.listen(engine.adopt)
    rules.listen(combining.adopt)
    return Service(
        "alerts-engines",
        jobs={
            "alerts-engine": lambda stop: engine.run(context.log, stop),
            "alerts-combining": lambda stop: combining.run(context.log, stop),
            "alerts-places": lambda stop: places.follow(context.log, stop),
        },
        checks={"alerts-engine": engine.check, "alerts-combining": combining.check},
    )


class _All(asyncio.Event):
    """Sets several at once: the outbox, the deliveries and the pager have something to do."""

    def __init__(self, *events: asyncio.Event) -> None:
        super().__init__()
        self._events = events

    def set(self) -> None:
        """Wake all."""
        for event in self._events:
            event.set()
