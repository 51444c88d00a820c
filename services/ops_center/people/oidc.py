"""OpenID Connect: people log in at the city's own provider (authorization code with PKCE).

Discovery, key rotation and the check of the ID token are here; HTTP is httpx, JOSE is joserfc.
"""

import asyncio
import base64
import hashlib
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from services.ops_center.people.user import GrantBody
from shared.clock import Clock, monotonic
from shared.errors import Unavailable

ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]  # no shared secrets, and never `none`
TIMEOUT_SECONDS = 10.0
FRESH_SECONDS = 3600.0  # of what discovery said
LEEWAY_SECONDS = 60
UNFIT = re.compile(r"[^A-Za-z0-9\u4e00-\u9fff._@-]")  # see `user.NAME`


class Refused(Exception):
    """The provider, or what came in its name, is not to be believed: the reason is for the log."""


@dataclass(frozen=True, slots=True)
class Provider:
    """What the settings say. `roles`: group → grants; `redirect_uri`: our own callback."""

    issuer: str
    client_id: str
    client_secret: str
    groups_claim: str
    roles: Mapping[str, Sequence[GrantBody]]
    redirect_uri: str
    scopes: str = "openid profile email"


@dataclass(frozen=True, slots=True)
class Attempt:
    """A login under way, as the browser's signed cookie remembers it."""

    state: str
    nonce: str
    verifier: str
    following: str


@dataclass(frozen=True, slots=True)
class Person:
    """Whom the provider vouches for. `subject`: unique for ever; `name`: what people read."""

    subject: str
    name: str
    display_name: str
    grants: tuple[GrantBody, ...]


class Oidc:
    """Talks to one provider."""

    def __init__(
        self, provider: Provider, clock: Clock, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._provider = provider
        self._clock = clock
        self._http = httpx.AsyncClient(timeout=TIMEOUT_SECONDS, transport=transport)
        self._found: dict[str, Any] = {}
        self._keys = KeySet([])
        self._fresh_until = 0.0
        self._asking = asyncio.Lock()

    async def begin(self, following: str) -> tuple[str, Attempt]:
        """The provider's address to send the browser to, and what to remember. `Unavailable`."""
        await self._discover()
        attempt = Attempt(
            secrets.token_urlsafe(24),
            secrets.token_urlsafe(24),
            secrets.token_urlsafe(48),
            following,
        )
        digest = hashlib.sha256(attempt.verifier.encode()).digest()
        query = {
            "response_type": "code",
            "client_id": self._provider.client_id,
            "redirect_uri": self._provider.redirect_uri,
            "scope": self._provider.scopes,
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        return f"{self._found['authorization_endpoint']}?{urlencode(query)}", attempt

    async def finish(self, attempt: Attempt, code: str) -> Person:
        """Whoever the code stands for. Raises `Refused` or `Unavailable`."""
        await self._discover()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._provider.redirect_uri,
            "code_verifier": attempt.verifier,
        }
        login = (self._provider.client_id, self._provider.client_secret)
        answer = await self._ask("POST", self._found["token_endpoint"], data=form, auth=login)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise Refused(f"no id_token: {answer.get('error', 'nothing')}")
        return self._person(await self._claims(token, attempt.nonce))

    async def close(self) -> None:
        """No more connections."""
        await self._http.aclose()

    async def _claims(self, token: str, nonce: str) -> dict[str, Any]:
        try:
            decoded = jwt.decode(token, self._keys, algorithms=ALGORITHMS)
        except (JoseError, ValueError):
            await self._discover(anew=True)  # the provider may have changed its keys
            try:
                decoded = jwt.decode(token, self._keys, algorithms=ALGORITHMS)
            except (JoseError, ValueError) as error:
                raise Refused(f"id_token: {error}") from None
        claims: dict[str, Any] = decoded.claims
        registry = jwt.JWTClaimsRegistry(
            now=int(self._clock().timestamp()),
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": self._provider.issuer},
            aud={"essential": True, "value": self._provider.client_id},
            exp={"essential": True},
            iat={"essential": True},
            sub={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        try:
            registry.validate(claims)
        except JoseError as error:
            raise Refused(f"id_token: {error}") from None
        audience = claims["aud"]
        several = isinstance(audience, list) and len(audience) > 1
        if (several or "azp" in claims) and claims.get("azp") != self._provider.client_id:
            raise Refused("id_token: it was made for another client")
        return claims

    def _person(self, claims: Mapping[str, Any]) -> Person:
        groups = claims.get(self._provider.groups_claim, [])
        named = [groups] if isinstance(groups, str) else groups if isinstance(groups, list) else []
        grants = [one for group in named for one in self._provider.roles.get(str(group), ())]
        subject = str(claims["sub"])
        name = str(claims.get("preferred_username") or claims.get("email") or subject)
        shown = str(claims.get("name") or name)
        unique = f"{self._provider.issuer}|{subject}"
        return Person(
            unique,
            UNFIT.sub("-", name)[:64].lstrip("-._@") or unique[-64:],
            shown[:100],
            tuple(dict.fromkeys(grants)),
        )

    async def _discover(self, anew: bool = False) -> None:
        async with self._asking:
            if monotonic() < self._fresh_until and not anew:
                return
            base = self._provider.issuer.rstrip("/")
            found = await self._ask("GET", f"{base}/.well-known/openid-configuration")
            if found.get("issuer") != self._provider.issuer:
                raise Unavailable(f"OIDC: {base} says that it is {found.get('issuer')}")
            try:
                keys = KeySet.import_key_set(await self._ask("GET", found["jwks_uri"]))  # type: ignore[arg-type]
            except (JoseError, ValueError, KeyError) as error:
                raise Unavailable(f"OIDC: the provider's keys: {error}") from None
            self._found, self._keys = found, keys
            self._fresh_until = monotonic() + FRESH_SECONDS

    async def _ask(self, method: str, url: str, **more: Any) -> dict[str, Any]:
        try:
            answer = await self._http.request(method, url, **more)
            found = answer.json()
        except (httpx.HTTPError, ValueError, RecursionError) as error:
            raise Unavailable(f"OIDC: {url}: {type(error).__name__}") from None
        if answer.status_code >= 500 or not isinstance(found, dict):
            raise Unavailable(f"OIDC: {url} answers {answer.status_code}")
        return found


def roles_of(text: str) -> dict[str, list[GrantBody]]:
    """`group=role[@area][/domain],…` → group → grants. ValueError says what is wrong."""
    found: dict[str, list[GrantBody]] = {}
    for part in filter(None, (one.strip() for one in text.split(","))):
        group, sign, said = part.rpartition("=")
        if not sign or not group:
            raise ValueError(f"{part!r} is not group=role[@area][/domain]")
        said, _, domain = said.partition("/")
        role, _, area = said.partition("@")
        grant = GrantBody(role=role, area_id=area or None, domain=domain or None)
        found.setdefault(group.strip(), []).append(grant)
    return found
