"""What faults are made of does what it says: relays, namespaces, disks, clocks."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shared.store.embedded import free_port
from tests.chaos.disk import Disk
from tests.chaos.namespace import Namespace
from tests.chaos.relay import Mode, Relay
from tests.chaos.skewed import AHEAD, move, moved

NO_DISK = Disk.reason_it_cannot_be()
NO_NAMESPACES = Namespace.reason_it_cannot_be()
Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(1000):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


@pytest.fixture
async def relay() -> AsyncIterator[Relay]:
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    made = Relay(free_port(), server.sockets[0].getsockname()[1])
    await made.open()
    yield made
    await made.close()
    server.close()


async def said(ends: Ends, words: bytes) -> bytes:
    ends[1].write(words)
    await ends[1].drain()
    async with asyncio.timeout(60):
        return await ends[0].read(1000)


async def connect(relay: Relay) -> Ends:
    return await asyncio.open_connection("127.0.0.1", relay.port)


async def test_it_passes(relay: Relay) -> None:
    assert await said(await connect(relay), b"hello") == b"hello"


async def test_a_cut_ends_what_is_open_and_what_is_new(relay: Relay) -> None:
    open_before = await connect(relay)
    assert await said(open_before, b"hello") == b"hello"
    await relay.set(Mode.CUT)
    for ends in (open_before, await connect(relay)):
        with suppress(OSError):  # reset
            assert await said(ends, b"hello") == b""
    await relay.set(Mode.PASS)
    assert await said(await connect(relay), b"again") == b"again"


async def test_what_is_stalled_arrives_once_it_passes_again(relay: Relay) -> None:
    open_before = await connect(relay)
    assert await said(open_before, b"hello") == b"hello"
    await relay.set(Mode.STALL)
    waiting = [
        asyncio.create_task(said(open_before, b"old")),
        asyncio.create_task(said(await connect(relay), b"new")),
    ]
    done, _ = await asyncio.wait(waiting, timeout=0.3)
    assert not done
    await relay.set(Mode.PASS)
    assert await asyncio.gather(*waiting) == [b"old", b"new"]


async def test_what_is_delayed_takes_at_least_that_long(relay: Relay) -> None:
    await relay.set(Mode.DELAY, 0.2)
    ends, began = await connect(relay), asyncio.get_running_loop().time()
    assert await said(ends, b"hello") == b"hello"
    assert asyncio.get_running_loop().time() - began >= 0.4  # there and back


@pytest.mark.skipif(NO_NAMESPACES is not None, reason=f"NO NAMESPACES: {NO_NAMESPACES}")
async def test_a_namespace_is_reached_by_relays_alone_and_can_be_parted() -> None:
    inside, port = Namespace(f"yiwang-test-{os.getpid()}"), free_port()
    inside.make()
    relay = Relay(free_port(), port, dial_in=inside)
    try:
        server = await asyncio.start_server(echo, sock=inside.listening(port))
        await relay.open()
        with pytest.raises(OSError):
            await asyncio.open_connection("127.0.0.1", port)
        ends = await connect(relay)
        assert await said(ends, b"hello") == b"hello"
        inside.part()
        waiting = asyncio.create_task(said(ends, b"lost at first"))
        done, _ = await asyncio.wait([waiting], timeout=0.3)
        assert not done
        inside.connect()
        assert await waiting == b"lost at first"  # sent again by the kernel
        server.close()
    finally:
        await relay.close()
        inside.remove()


@pytest.mark.skipif(NO_DISK is not None, reason=f"NO DISK: {NO_DISK}")
def test_a_disk_is_filled_and_emptied(tmp_path: Path) -> None:
    disk = Disk(tmp_path / "disk")
    disk.make()
    try:
        disk.fill()
        with pytest.raises(OSError, match="No space left"):
            (disk.folder / "more").write_bytes(b"x" * 100_000)
        disk.empty()
        (disk.folder / "more").write_bytes(b"x" * 100_000)
    finally:
        disk.remove()
    assert not list(disk.folder.iterdir())


def test_only_a_disk_of_its_own_is_filled(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="somebody else's"):
        Disk(tmp_path).fill()


def test_a_clock_is_moved_and_moved_back(tmp_path: Path) -> None:
    file = tmp_path / "clock"
    move(file, 90.0)
    clock = moved(lambda: float(AHEAD.unpack(file.read_bytes())[0]))
    assert clock.now(UTC) - datetime.now(UTC) > timedelta(seconds=80)
    assert type(clock.now(UTC)) is datetime
    move(file, -90.0)
    assert datetime.now(UTC) - clock.now(UTC) > timedelta(seconds=80)
    move(file, 0.0)
    assert abs(datetime.now(UTC) - clock.now(UTC)) < timedelta(seconds=80)
    assert clock.fromtimestamp(0, UTC) == datetime(1970, 1, 1, tzinfo=UTC)
