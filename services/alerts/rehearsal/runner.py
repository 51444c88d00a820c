"""Runs previews in a process of their own: one at a time, for so long, and never in our loop."""

import asyncio
import os
import sys
from contextlib import suppress
from pathlib import Path

import msgspec

import services
from services.alerts.rehearsal.preview import Answer, Question
from shared.errors import Overloaded, Unavailable

START_SECONDS = 10.0  # what a process may need besides the question's own bound
ROOT = Path(services.__path__[0]).parent


class Previews:
    """`database_url`: where the readings are."""

    def __init__(self, database_url: str) -> None:
        self._environment = dict(os.environ) | {"YIWANG_DATABASE_URL": database_url}
        self._busy = asyncio.Lock()

    async def ask(self, question: Question) -> Answer:
        """Raises `Overloaded` while another is under way, `Unavailable` when it fails."""
        if self._busy.locked():
            raise Overloaded("another preview is under way", retry_after_seconds=10)
        async with self._busy:
            raw = await self._run(msgspec.json.encode(question), question.max_seconds)
        return msgspec.json.decode(raw, type=Answer)

    async def _run(self, question: bytes, seconds: float) -> bytes:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "services.alerts", "preview",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            env=self._environment, cwd=ROOT,
        )  # fmt: skip
        try:
            async with asyncio.timeout(seconds + START_SECONDS):
                out, _ = await process.communicate(question)
        except TimeoutError:
            raise Unavailable("the preview took too long") from None
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        if process.returncode != 0:
            raise Unavailable(f"the preview ended with {process.returncode}")
        return out
