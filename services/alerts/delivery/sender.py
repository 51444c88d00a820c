"""One webhook attempt over HTTP, guarded on the address that is really connected."""

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

import httpcore
import httpx

from services.alerts.delivery.guard import Network, reason_to_refuse, reason_to_refuse_url
from services.alerts.delivery.network import GuardedNetwork

TIMEOUT_SECONDS = 15.0
BODY_SECONDS = 2.0  # for the rest of an answer whose status is known
RESOLVE_SECONDS = 3.0
POOLS = 64  # a pool's work grows with the square of its connections
KEPT = 4  # idle connections of each
MAX_ANSWER_BYTES = 16 * 1024
FAILURES = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, ValueError)


@dataclass(frozen=True)
class Answer:
    """What came back: a status, or why none did. `retry_after`: the header as it came, or "";
    `body`: its first 16 KiB; `final`: it will never be taken."""

    status: int | None
    error: str = ""
    retry_after: str = ""
    body: bytes = b""
    final: bool = False

    @property
    def delivered(self) -> bool:
        """Only 2xx counts; a redirect is a failure."""
        return self.status is not None and 200 <= self.status < 300


class Sender:
    """Posts bodies. `allowed`: networks that may be reached although they are not public."""

    def __init__(self, allowed: Sequence[Network]) -> None:
        self._allowed = allowed
        self._network = GuardedNetwork(allowed)
        self._client = httpx.AsyncClient(
            transport=_Spread(self._network),
            timeout=TIMEOUT_SECONDS,
            follow_redirects=False,
            trust_env=False,
            headers={"accept-encoding": "identity"},
        )

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """One attempt, at most `TIMEOUT_SECONDS`; reads no more of the answer than needed."""
        answer = Answer(None, f"no answer within {TIMEOUT_SECONDS:.0f} s")
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                request = self._client.stream("POST", url, headers=headers, content=body)
                async with request as response:
                    asked = response.headers.get("retry-after", "")
                    answer = Answer(response.status_code, retry_after=asked)
                    answer = replace(answer, body=await _read_some(response))
        except TimeoutError:
            return answer
        except FAILURES as error:
            return answer if answer.status else Answer(None, str(error) or type(error).__name__)
        return answer

    async def reason_to_refuse(self, url: str) -> str | None:
        """Why a receiver cannot be accepted; None if it can. A name that cannot be resolved now
        can: every attempt judges the address it connects to anyway."""
        reason = reason_to_refuse_url(url, self._allowed)
        if reason is not None:
            return reason
        parts = urlsplit(url)
        try:
            async with asyncio.timeout(RESOLVE_SECONDS):
                found = await self._network.resolve(parts.hostname or "", parts.port or 443)
        except (TimeoutError, httpcore.ConnectError):
            return None
        reasons = [reason_to_refuse(address, self._allowed) for address in found]
        return reasons[0] if reasons and all(reasons) else None

    async def close(self) -> None:
        """Close kept connections."""
        await self._client.aclose()
        self._network.close()


class _Spread(httpx.AsyncBaseTransport):
    """Many small pools of connections, one for each URL; none waits for another endpoint's."""

    def __init__(self, network: GuardedNetwork) -> None:
        trusted = ssl.create_default_context()
        self._pools = [_pool(network, trusted) for _ in range(POOLS)]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """See `httpx.AsyncBaseTransport`."""
        pool = self._pools[hash(str(request.url)) % POOLS]
        return await pool.handle_async_request(request)

    async def aclose(self) -> None:
        """Close kept connections."""
        for pool in self._pools:
            await pool.aclose()


def _pool(network: GuardedNetwork, trusted: ssl.SSLContext) -> httpx.AsyncHTTPTransport:
    transport = httpx.AsyncHTTPTransport(verify=trusted)
    transport._pool = httpcore.AsyncConnectionPool(
        ssl_context=trusted,
        max_connections=None,
        max_keepalive_connections=KEPT,
        keepalive_expiry=30.0,
        network_backend=network,
    )
    return transport


async def _read_some(response: httpx.Response) -> bytes:
    """Enough of a well-behaved answer to keep its connection; an endless one is cut off, and what
    goes wrong after the status changes nothing."""
    seen = b""
    with suppress(TimeoutError, *FAILURES):
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in response.aiter_raw():
                seen += chunk
                if len(seen) > MAX_ANSWER_BYTES:
                    return seen[:MAX_ANSWER_BYTES]
    return seen
