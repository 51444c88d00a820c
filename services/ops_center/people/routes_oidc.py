"""`/v1/oidc`: log in at the city's own provider."""

import json
import logging
from dataclasses import asdict
from typing import Annotated, Protocol

from fastapi import APIRouter, Query, Request
from itsdangerous import BadSignature, URLSafeTimedSerializer
from starlette.responses import RedirectResponse, Response

from services.ops_center.accounts import Accounts
from services.ops_center.login import SESSION_HOURS
from services.ops_center.people.oidc import Attempt, Person, Refused
from services.ops_center.people.user import PRINTABLE
from services.ops_center.people.users import NameTaken, Users
from shared.clock import Clock
from shared.store.audit import By
from shared.web.auth import origin_of, set_session_cookie
from shared.web.problems import Problem

_log = logging.getLogger(__name__)

COOKIE = "yiwang_oidc"
MINUTES = 10  # an attempt may take so long
Text = Annotated[str, Query(max_length=4_000, pattern=PRINTABLE)]
Next = Annotated[str, Query(alias="next", max_length=2_000, pattern=PRINTABLE)]


class Provider(Protocol):
    """See `oidc.Oidc`."""

    async def begin(self, following: str) -> tuple[str, Attempt]:
        """Where to send the browser, and what to remember."""
        ...

    async def finish(self, attempt: Attempt, code: str) -> Person:
        """Whoever the code stands for."""
        ...


def oidc_router(
    provider: Provider | None, secret: str, users: Users, accounts: Accounts, clock: Clock
) -> APIRouter:
    """`provider` None: nobody logs in this way. `secret`: signs what the browser remembers."""
    router = APIRouter(prefix="/v1/oidc", tags=["session"])
    signer = URLSafeTimedSerializer(secret, salt="yiwang-oidc")

    @router.get("", summary="Whether one can log in by OIDC")
    async def about() -> dict[str, bool]:
        """For the login page."""
        return {"enabled": provider is not None}

    @router.get("/login", status_code=303, summary="Go to the provider")
    async def log_in(request: Request, next_: Next = "/console") -> Response:
        """Leads to the provider; from there back to `next`, a path of ours."""
        if not next_.startswith("/") or next_[1:2] in ("/", "\\") or "\\" in next_:
            raise Problem(422, "Invalid request", "/next: a path of ours", code="invalid_request")
        address, attempt = await _there(provider).begin(next_)
        response = RedirectResponse(address, 303, headers={"Cache-Control": "no-store"})
        response.set_cookie(
            COOKIE, signer.dumps(json.dumps(asdict(attempt))), max_age=MINUTES * 60,
            path="/v1/oidc", httponly=True, samesite="lax", secure=request.url.scheme == "https",
        )  # fmt: skip
        return response

    @router.get("/callback", status_code=303, summary="Come back from the provider")
    async def come_back(
        request: Request, state: Text = "", code: Text = "", error: Text = ""
    ) -> Response:
        """Opens a session as a login does. 403 for whoever the provider does not vouch for, or who
        is in no group that has a role here."""
        there = _there(provider)
        attempt = _remembered(signer, request.cookies.get(COOKIE, ""))
        if attempt is None or not state or state != attempt.state:
            raise _refused("This login was not begun here, or took too long: try again.")
        if error or not code:
            raise _refused("The provider did not log you in.")
        try:
            person = await there.finish(attempt, code)
        except Refused as reason:
            _log.warning("OIDC login refused: %s", reason)
            raise _refused("The provider's answer is not valid.") from None
        if not person.grants:
            raise _refused("None of your groups has a role here: ask an administrator.")
        origin = origin_of(request)
        by = By(person.name, "person", origin.address, origin.request_id)
        try:
            user = await users.vouched(
                person.subject, person.name, person.display_name, person.grants, by
            )
        except NameTaken:
            raise _refused(f"There is an account {person.name} that logs in here.") from None
        if user.disabled:
            raise _refused("This account is disabled.")
        agent = request.headers.get("user-agent", "")
        token = await accounts.open_session(user.username, clock(), by, agent, "oidc")
        response = RedirectResponse(attempt.following, 303, headers={"Cache-Control": "no-store"})
        set_session_cookie(response, token, SESSION_HOURS * 3600, request)
        response.delete_cookie(COOKIE, path="/v1/oidc")
        return response

    return router


def _there(provider: Provider | None) -> Provider:
    if provider is None:
        detail = "Nobody can log in by OIDC here: YIWANG_OIDC_ISSUER is not set."
        raise Problem(404, "Not found", detail, code="not_found")
    return provider


def _remembered(signer: URLSafeTimedSerializer, cookie: str) -> Attempt | None:
    try:
        return Attempt(**json.loads(signer.loads(cookie, max_age=MINUTES * 60)))
    except (BadSignature, ValueError, TypeError):
        return None


def _refused(detail: str) -> Problem:
    return Problem(403, "Forbidden", detail, code="oidc_refused")
