"""A job goes on whatever is cancelled around it, and ends when it is cancelled itself."""

import asyncio

import pytest
from sqlalchemy.exc import OperationalError

from shared import supervision
from shared.errors import Unavailable
from shared.eventlog.kafka_producer import answered


async def cancelled_elsewhere() -> None:
    """Wait for something that somebody else cancels, as Kafka's client does with its futures."""
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(future.cancel)
    await future


async def test_a_job_is_restarted_when_what_it_waits_for_is_cancelled() -> None:
    stop, runs = asyncio.Event(), 0

    async def job(_stop: asyncio.Event) -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            await cancelled_elsewhere()
        stop.set()

    async with asyncio.timeout(60):
        await supervision.supervise("job", job, stop)
    assert runs == 2


async def test_a_job_that_lost_its_database_is_restarted_without_a_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stop, runs = asyncio.Event(), 0

    async def job(_stop: asyncio.Event) -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            raise OperationalError("SELECT 1", {}, Exception("connection lost"))
        stop.set()

    async with asyncio.timeout(60):
        await supervision.supervise("job", job, stop)
    assert runs == 2
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert caplog.records[0].exc_info is None


async def test_a_job_that_is_cancelled_ends() -> None:
    began = asyncio.Event()

    async def job(_stop: asyncio.Event) -> None:
        began.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(supervision.supervise("job", job, asyncio.Event()))
    await began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_future_that_the_client_cancels_says_unavailable() -> None:
    with pytest.raises(Unavailable, match="gave up"), answered():
        await cancelled_elsewhere()


async def test_in_a_group_of_tasks_it_ends_the_group_and_not_one_of_it_in_silence() -> None:
    async def follow() -> None:
        with answered():
            await cancelled_elsewhere()

    with pytest.raises(ExceptionGroup) as raised:
        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            group.create_task(follow())
            group.create_task(asyncio.Event().wait())
    assert isinstance(raised.value.exceptions[0], Unavailable)


async def test_a_deadline_is_no_stray() -> None:
    with pytest.raises(Unavailable, match="no answer in time"), answered():
        async with asyncio.timeout(0.01):
            await asyncio.Event().wait()
