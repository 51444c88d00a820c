"""TCP between one process and one part, that can be cut, stalled and delayed at any moment."""

import asyncio
from contextlib import suppress
from enum import StrEnum

from tests.chaos.namespace import Namespace

CHUNK_BYTES = 64 * 1024


class Mode(StrEnum):
    """What becomes of what is sent."""

    PASS = "pass"
    CUT = "cut"
    STALL = "stall"
    DELAY = "delay"


class Relay:
    """Listens on `port` of loopback, forwards to `target`. To be used on one event loop.

    Either end may lie in a namespace: of a process that is to reach us, or that we are to reach.
    """

    def __init__(
        self, port: int, target: int,
        listen_in: Namespace | None = None, dial_in: Namespace | None = None,
    ) -> None:  # fmt: skip
        self.port = port
        self.target = target
        self._listen_in = listen_in
        self._dial_in = dial_in
        self.mode = Mode.PASS
        self.delay_seconds = 0.0
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Begin to listen."""
        if self._listen_in is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        else:
            inside = self._listen_in.listening(self.port)
            self._server = await asyncio.start_server(self._serve, sock=inside)

    async def close(self) -> None:
        """End everything."""
        self._reset()
        if self._server is not None:
            self._server.close()

    async def set(self, mode: Mode, delay_seconds: float = 0.0) -> None:
        """From now on. What was stalled goes on its way when it passes again, as it does when a
        real network comes back in time."""
        self.mode, self.delay_seconds = mode, delay_seconds
        if mode is Mode.STALL:
            self._flowing.clear()
        else:
            self._flowing.set()
        if mode is Mode.CUT:
            self._reset()

    def _reset(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            await self._flowing.wait()
            if self.mode is Mode.CUT:
                return
            there, back = await self._dial()
            self._writers.add(back)
            try:
                await asyncio.gather(self._pump(reader, back), self._pump(there, writer))
            finally:
                self._writers.discard(back)
                back.transport.abort()
        except (OSError, asyncio.CancelledError):
            pass  # nobody is there, or the run is over: the process sees its connection end
        finally:
            self._writers.discard(writer)
            writer.transport.abort()

    async def _dial(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._dial_in is None:
            return await asyncio.open_connection("127.0.0.1", self.target)
        inside = self._dial_in.dialling()
        try:
            loop = asyncio.get_running_loop()
            await loop.sock_connect(inside, ("127.0.0.1", self.target))
            return await asyncio.open_connection(sock=inside)
        except BaseException:
            inside.close()
            raise

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(CHUNK_BYTES):
                await self._flowing.wait()
                if self.delay_seconds:
                    await asyncio.sleep(self.delay_seconds)
                writer.write(data)
                await writer.drain()
        if not writer.is_closing():
            with suppress(OSError):
                writer.write_eof()
