"""One webhook attempt over HTTP, guarded on the address that is really connected."""

import asyncio
import socket
import ssl
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpcore
import httpx

from services.alerts.guard import Network, reason_to_refuse

TIMEOUT_SECONDS = 15.0
MAX_ANSWER_BYTES = 16 * 1024


@dataclass(frozen=True)
class Answer:
    """What came back: a status, or why none did. `retry_after`: seconds the receiver asked for."""

    status: int | None
    error: str = ""
    retry_after: int | None = None

    @property
    def delivered(self) -> bool:
        """Only 2xx counts; a redirect is a failure."""
        return self.status is not None and 200 <= self.status < 300


class Sender:
    """Posts bodies. `allowed`: networks that may be reached although they are not public."""

    def __init__(self, allowed: Sequence[Network]) -> None:
        transport = httpx.AsyncHTTPTransport(retries=0)
        transport._pool = httpcore.AsyncConnectionPool(
            ssl_context=ssl.create_default_context(),
            max_connections=64,
            max_keepalive_connections=16,
            network_backend=_GuardedNetwork(allowed),
        )
        self._client = httpx.AsyncClient(
            transport=transport, timeout=TIMEOUT_SECONDS, follow_redirects=False, trust_env=False
        )

    async def post(self, url: str, headers: Mapping[str, str], body: str) -> Answer:
        """One attempt, at most `TIMEOUT_SECONDS`; reads no more of the answer than needed."""
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                request = self._client.stream("POST", url, headers=headers, content=body.encode())
                async with request as response:
                    await _read_some(response)
                    return Answer(response.status_code, retry_after=_retry_after(response))
        except TimeoutError:
            return Answer(None, f"no answer within {TIMEOUT_SECONDS:.0f} s")
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            return Answer(None, str(error) or type(error).__name__)

    async def close(self) -> None:
        """Close kept connections."""
        await self._client.aclose()


class _GuardedNetwork(httpcore.AsyncNetworkBackend):
    """Resolves, refuses, connects: nobody can resolve differently in between."""

    def __init__(self, allowed: Sequence[Network]) -> None:
        self._allowed = allowed
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """As the inner backend's, to an address that was judged."""
        address = await self._resolve(host, port)
        return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.AsyncNetworkStream:
        """Never."""
        raise httpcore.ConnectError("unix sockets are not receivers")

    async def sleep(self, seconds: float) -> None:
        """As the inner backend's."""
        await self._inner.sleep(seconds)

    async def _resolve(self, host: str, port: int) -> str:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise httpcore.ConnectError(f"{host} cannot be resolved: {error}") from error
        reasons = []
        for address in (str(entry[4][0]) for entry in found):
            reason = reason_to_refuse(address, self._allowed)
            if reason is None:
                return address
            reasons.append(reason)
        raise httpcore.ConnectError("; ".join(reasons) or f"{host} has no address")


async def _read_some(response: httpx.Response) -> None:
    """Enough of a well-behaved answer to keep its connection; an endless one is cut off."""
    seen = 0
    async for chunk in response.aiter_raw():
        seen += len(chunk)
        if seen > MAX_ANSWER_BYTES:
            return


def _retry_after(response: httpx.Response) -> int | None:
    text = response.headers.get("retry-after", "")
    return int(text) if text.isdigit() else None
