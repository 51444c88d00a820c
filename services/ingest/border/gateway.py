"""`POST /v1/readings`: the hot path, bare ASGI."""

import logging
from collections.abc import Awaitable, Callable

from starlette.types import Receive, Scope, Send

from services.ingest import metrics
from services.ingest.border.acceptance import Acceptance, Poster, malformed
from services.ingest.border.decode import Malformed, read_body
from services.ingest.border.formats.media import is_plain, is_stream
from services.ingest.border.overload import Guard
from services.ingest.border.posts import Posts
from services.ingest.border.refusals import OverQuota, Refusals
from services.ingest.keys.quotas import Header, Quotas
from services.ingest.requests import BodyReader, Gone, announced, bearer, respond
from shared import tracing
from shared.errors import Overloaded
from shared.web.auth import unauthorised
from shared.web.identity import Identity
from shared.web.problems import Problem, from_error, problem_response

_log = logging.getLogger(__name__)

PARENT = tracing.HEADER.encode()
REPLAYED: Header = (b"idempotency-replayed", b"true")

Identify = Callable[[str], Awaitable[Identity | None]]


class Gateway:
    """Answers 202 only after the log has the batch."""

    def __init__(
        self,
        acceptance: Acceptance,
        posts: Posts,
        identify: Identify,
        quotas: Quotas,
        refusals: Refusals,
        bodies: BodyReader,
        guard: Guard,
    ) -> None:
        self._acceptance = acceptance
        self._posts = posts
        self._identify = identify
        self._quotas = quotas
        self._refusals = refusals
        self._bodies = bodies
        self._guard = guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        try:
            status, body, more = await self._answer(dict(scope["headers"]), receive)
        except Gone:
            return
        except OverQuota as refusal:
            await self._refusals.answer(send, refusal)
            return
        except Overloaded as error:
            await self._refusals.overloaded(send, error, announced(dict(scope["headers"])))
            return
        except Exception as error:  # every failure is a problem+json
            problem = from_error(error)
            if problem.status == 500:
                _log.exception("POST /v1/readings failed")
            await problem_response(problem)(scope, receive, send)
            return
        await respond(send, status, body, more)

    async def _answer(
        self, headers: dict[bytes, bytes], receive: Receive
    ) -> tuple[int, bytes, list[Header]]:
        self._guard.check()
        identity = await self._admit(bearer(headers))
        # A stream pays as it goes: its length says nothing of what it needs at once.
        size = 0 if is_stream(headers) else announced(headers)
        account = self._quotas.account(identity)
        excess = account.begin(size)  # before anything is read: a refusal must be cheap
        if excess is not None:
            raise OverQuota(identity, account, excess, size)
        poster = Poster(identity, account, size, headers.get(PARENT))
        again = False
        try:
            if is_plain(headers):
                status, answer = await self._take(poster, headers, receive)
            else:
                status, answer, again = await self._posts.take(poster, headers, receive)
        finally:
            account.end()
        more = account.headers()
        return status, answer, [*more, REPLAYED] if again else more

    async def _take(
        self, poster: Poster, headers: dict[bytes, bytes], receive: Receive
    ) -> tuple[int, bytes]:
        body = await self._bodies.read(headers, receive)
        try:
            return await self._acceptance.take(poster, read_body(body), len(body))
        except Malformed as error:
            raise malformed(error) from None
        finally:
            self._bodies.release(len(body))

    async def _admit(self, token: str | None) -> Identity:
        identity = await self._identify(token) if token else None
        if identity is None:
            metrics.REFUSED.labels("http", "unauthorised", "unknown").inc()
            raise unauthorised("A valid API key is needed: 'Authorization: Bearer …'.")
        if "post" not in identity.scopes and identity.role != "admin":
            metrics.REFUSED.labels("http", "scope", identity.kind).inc()
            detail = "This needs a key with the scope 'post'."
            raise Problem(403, "Forbidden", detail, code="scope")
        return identity
