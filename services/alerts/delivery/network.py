"""Connections to receivers: resolved, judged and opened in one go, so that no name can lead
elsewhere in between."""

import asyncio
import socket
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpcore

from services.alerts.delivery.guard import Network, reason_to_refuse

RESOLVERS = 32  # names that never answer must not hold up the others


class GuardedNetwork(httpcore.AsyncNetworkBackend):
    """Connects to public addresses, and to those in `allowed`."""

    def __init__(self, allowed: Sequence[Network]) -> None:
        self._allowed = allowed
        self._inner = httpcore.AnyIOBackend()
        self._resolvers = ThreadPoolExecutor(RESOLVERS, thread_name_prefix="resolver")

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """As the inner backend's, to the first address that may be reached and answers."""
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in await self.resolve(host, port):
            reason = reason_to_refuse(address, self._allowed)
            if reason is not None:
                failure = httpcore.ConnectError(reason)
                continue
            try:
                return await self._inner.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.AsyncNetworkStream:
        """Never."""
        raise httpcore.ConnectError("unix sockets are not receivers")

    async def sleep(self, seconds: float) -> None:
        """As the inner backend's."""
        await self._inner.sleep(seconds)

    async def resolve(self, host: str, port: int) -> list[str]:
        """Addresses of a name, in the resolver's order. Raises `httpcore.ConnectError`."""
        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(
                self._resolvers,
                lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM),
            )
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"{host} cannot be resolved: {error}") from error
        return list(dict.fromkeys(str(entry[4][0]) for entry in found))

    def close(self) -> None:
        """Resolve no more."""
        self._resolvers.shutdown(wait=False, cancel_futures=True)
