"""The producer of the log on Kafka, and what its client's errors mean."""

import asyncio
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from shared.errors import Unavailable

_log = logging.getLogger(__name__)

BATCH_BYTES = 256 * 1024


@contextmanager
def answered(who: str = "Kafka") -> Iterator[None]:
    """Whatever the client raises, as `Unavailable`. It also cancels futures that we wait for: who
    was not cancelled himself must not take that for his own end."""
    try:
        yield
    except (KafkaError, TimeoutError) as error:
        raise Unavailable(f"{who}: {str(error) or 'no answer in time'}") from error
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise Unavailable(f"{who}: the client gave up") from error


class Producer:
    """An idempotent producer, replaced after a failure: a batch that the client has given up leaves
    a gap in its sequence, and the broker refuses whatever comes after that, for ever."""

    def __init__(
        self, bootstrap: str, ack_seconds: float, most_bytes: int, access: Mapping[str, Any]
    ) -> None:
        self._bootstrap = bootstrap
        self._access = access
        self._ack_seconds = ack_seconds
        self._most_bytes = most_bytes
        self._client: AIOKafkaProducer | None = None
        self._doubtful = False
        self._renewing = asyncio.Lock()
        self._leaving: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Connect. Raises what the client raises."""
        fresh = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap,
            acks="all",
            enable_idempotence=True,
            linger_ms=0,  # who has much to say at once says so in one `publish`
            max_batch_size=BATCH_BYTES,
            max_request_size=self._most_bytes,
            request_timeout_ms=int(self._ack_seconds * 1000),
            **self._access,
        )
        try:
            await fresh.start()
        except BaseException:
            await fresh.stop()
            raise
        self._client, self._doubtful = fresh, False

    def doubt(self) -> None:
        """Something was not acknowledged: the next one to ask gets another client."""
        self._doubtful = True

    async def sound(self) -> AIOKafkaProducer:
        """The client. Raises what it raises when it cannot be replaced now."""
        while self._client is None or self._doubtful:
            async with self._renewing:
                await self._renew()
        return self._client

    async def stop(self) -> None:
        """Flush and release."""
        leaving = list(self._leaving)
        for task in leaving:
            task.cancel()
        await asyncio.gather(*leaving, return_exceptions=True)
        client, self._client = self._client, None
        if client is not None:
            await client.stop()

    async def _renew(self) -> None:
        """Unless somebody else has, while we waited."""
        old = self._client
        if old is not None and not self._doubtful:
            return
        await self.start()
        if old is not None:
            task = asyncio.create_task(old.stop())
            self._leaving.add(task)
            task.add_done_callback(self._left)

    def _left(self, task: "asyncio.Task[None]") -> None:
        self._leaving.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _log.info("the former producer did not end well: %s", task.exception())
