"""Signed links over HTTP: a small page, and what its button does. Chat programs open links before
people do, so only the button changes anything."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import HTMLResponse

from services.alerts.incidents.lifecycle import STEPS, Command, Refusal, step
from services.alerts.incidents.repository import Desk
from services.alerts.oncall.repository import Repository
from services.alerts.paging.links import SignedLinks, Ticket
from shared.clock import Clock
from shared.contracts.incident import Incident, IncidentState
from shared.web.auth import origin_of
from shared.web.identity import Grant, Identity, Origin
from shared.web.problems import Problem
from shared.web.security import policy, style_source

Token = Annotated[str, Path(max_length=500, pattern=r"^[A-Za-z0-9_.-]+$")]
_STYLE = """
body { font: 18px/1.5 system-ui, sans-serif; background: #14181D; color: #E6EAEE; margin: 0 auto;
  max-width: 32em; padding: 1.5em }
h1 { font-size: 1.3em; overflow-wrap: anywhere }
p { color: #AEB7C0 }
button { font: inherit; font-weight: 600; width: 100%; padding: .8em; border: 0;
  border-radius: 8px; background: #3B82F6; color: #fff; cursor: pointer }
"""
_POLICY = {
    "default-src": "'none'", "style-src": style_source(_STYLE), "form-action": "'self'",
    "base-uri": "'none'", "frame-ancestors": "'none'",
}  # fmt: skip
_HEADERS = {
    "Content-Security-Policy": policy(_POLICY),
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex",
}
_PAGE = """<!doctype html>
<html lang="{lang}"><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>{style}</style>
<h1>{title}</h1>{body}</html>
"""
_WORDS = {
    "zh": {
        "acknowledge": "签收", "resolve": "处置完成",
        "state": "当前状态：{state}", "as": "将以 {name} 的名义记录。",
        "done": "已完成，谢谢。", "late": "无需操作：{why}",
        "expired": "链接已过期（24 小时）。请登录平台处理，或等待下一次通知。",
        "wrong": "链接无效：请检查是否复制完整。",
        "open": "待签收", "acknowledged": "已签收", "dispatched": "已派遣", "handling": "处置中",
        "resolved": "已反馈", "closed": "已结案",
    },
    "en": {
        "acknowledge": "Acknowledge", "resolve": "Resolve",
        "state": "State: {state}", "as": "It will be recorded as done by {name}.",
        "done": "Done, thank you.", "late": "Nothing to do: {why}",
        "expired": "This link has expired (24 hours). Log in to the platform, or wait for the next "
        "message.",
        "wrong": "This link is not valid: was it copied as a whole?",
        "open": "open", "acknowledged": "acknowledged", "dispatched": "dispatched",
        "handling": "being handled", "resolved": "resolved", "closed": "closed",
    },
}  # fmt: skip


@dataclass(frozen=True)
class _Opened:
    """A valid link, and what it is about. `name`: of the person; `words`: in their language."""

    ticket: Ticket
    incident: Incident
    name: str
    words: dict[str, str]

    def page(self, *said: str, form: str = "") -> HTMLResponse:
        return _page(self.words, self.incident.title, said, form)

    def state(self) -> str:
        return self.words["state"].format(state=self.words[self.incident.state])


class _Desk:
    """Opens links. Where that is not possible: a page for a browser, else problem+json."""

    def __init__(
        self, links: SignedLinks, incidents: Desk, oncall: Repository, clock: Clock
    ) -> None:
        self._links = links
        self._incidents = incidents
        self._oncall = oncall
        self._clock = clock

    async def open(self, request: Request, token: str) -> _Opened | HTMLResponse:
        ticket = self._links.read(token)
        if ticket is None:
            return _refuse(request, 404, "wrong")
        if ticket.expired(self._clock()):
            return _refuse(request, 410, "expired")
        found = await self._incidents.get(ticket.incident_id)
        if found is None:
            return _refuse(request, 404, "wrong")
        person = (await self._oncall.look()).person(ticket.person)
        if person is None:
            return _Opened(ticket, found[0], ticket.person, _WORDS["zh"])
        return _Opened(ticket, found[0], person.name, _WORDS[person.language])

    async def act(self, ticket: Ticket, origin: Origin) -> bool:
        """Whether it could be done. Whoever was sent the link is an operator for its incident."""
        who = Identity(
            "link", ticket.person, "operator", frozenset(), f"link:{ticket.person}",
            grants=(Grant("operator"),), origin=origin,
        )  # fmt: skip
        outcome: Incident | Refusal | None = None
        for command in _commands(ticket):
            outcome = await self._command(ticket, command, who)
        return not isinstance(outcome, Refusal)

    async def _command(
        self, ticket: Ticket, command: Command, who: Identity
    ) -> Incident | Refusal | None:
        def change(found: Incident) -> Incident | Refusal:
            return step(found, command, self._clock())

        done: Incident | Refusal | None = await self._incidents.command(
            ticket.incident_id, change, who, STEPS[command], ""
        )
        return done


def links_router(
    links: SignedLinks, incidents: Desk, oncall: Repository, clock: Clock
) -> APIRouter:
    """`/v1/links/{token}`."""
    router = APIRouter(prefix="/v1/links", tags=["on-call"])
    desk = _Desk(links, incidents, oncall, clock)

    @router.get("/{token}", response_class=HTMLResponse, summary="Look at a link of a message")
    async def look(request: Request, token: Token) -> HTMLResponse:
        """What it would do, with a button. Changes nothing."""
        link = await desk.open(request, token)
        if isinstance(link, HTMLResponse):
            return link
        if _too_late(link.incident, link.ticket):
            return link.page(link.words["late"].format(why=link.words[link.incident.state]))
        label = escape(link.words[link.ticket.action])
        button = f'<form method="post"><button>{label}</button></form>'
        return link.page(link.state(), link.words["as"].format(name=link.name), form=button)

    @router.post("/{token}", response_class=HTMLResponse, summary="Do what a link allows")
    async def act(request: Request, token: Token) -> HTMLResponse:
        """Acknowledge, or resolve (what nobody has acknowledged is acknowledged by it), as the
        person whom the message was for."""
        link = await desk.open(request, token)
        if isinstance(link, HTMLResponse):
            return link
        done = await desk.act(link.ticket, origin_of(request))
        after = await desk.open(request, token)
        if isinstance(after, HTMLResponse):
            return after
        if not done:
            return after.page(after.words["late"].format(why=after.words[after.incident.state]))
        return after.page(after.words["done"], after.state())

    return router


def _commands(ticket: Ticket) -> tuple[Command, ...]:
    if ticket.action == "acknowledge":
        return (Command.ACKNOWLEDGE,)
    return (Command.ACKNOWLEDGE, Command.RESOLVE)


def _too_late(incident: Incident, ticket: Ticket) -> bool:
    first = Command.RESOLVE if ticket.action == "resolve" else Command.ACKNOWLEDGE
    if incident.state == IncidentState.OPEN:
        first = Command.ACKNOWLEDGE
    return isinstance(step(incident, first, incident.updated_at), Refusal)


def _refuse(request: Request, status: int, why: str) -> HTMLResponse:
    """A page in both languages for a person's browser, else a `Problem`."""
    if "text/html" not in request.headers.get("accept", ""):
        title = "Not found" if status == 404 else "Gone"
        raise Problem(status, title, _WORDS["en"][why], code="link_" + why)
    both = [_WORDS[language][why] for language in ("zh", "en")]
    return _page(_WORDS["zh"], "一网 Yiwang", both, status=status)


def _page(
    words: dict[str, str], title: str, said: Sequence[str], form: str = "", status: int = 200
) -> HTMLResponse:
    lang = "zh-CN" if words is _WORDS["zh"] else "en"
    body = "".join(f"<p>{escape(line)}</p>" for line in said) + form
    whole = _PAGE.format(lang=lang, style=_STYLE, title=escape(title), body=body)
    return HTMLResponse(whole, status, headers=_HEADERS)
