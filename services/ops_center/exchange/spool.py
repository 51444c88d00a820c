"""Parts as files: kept as long as there is room, so that a cut transfer goes on where it was.

Each replica has its own; a part that is not there is made again, with the same bytes.
"""

import asyncio
import base64
import hashlib
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from shared.clock import system_clock

MOST_BYTES = 2 * 1024**3
LEFT_SECONDS = 3600  # a draft that nobody has written to for so long is nobody's
_CHUNK = 256 * 1024


@dataclass(frozen=True, slots=True)
class Ready:
    """A part as a file."""

    file: Path
    size: int
    sha256: bytes
    rows: int

    @property
    def etag(self) -> str:
        """Of these very bytes."""
        return f'"{self.sha256.hex()}"'

    @property
    def digest(self) -> str:
        """For `Repr-Digest` (RFC 9530)."""
        return f"sha-256=:{base64.b64encode(self.sha256).decode()}:"


class Spool:
    """A folder of finished parts, those that were longest not asked for go first. What a killed
    process had begun goes when the next one starts, once it is surely nobody's."""

    def __init__(self, folder: Path, most_bytes: int = MOST_BYTES) -> None:
        self._folder = folder
        self._most = most_bytes
        self._known: dict[str, Ready] = {}
        left_before = system_clock().timestamp() - LEFT_SECONDS
        for begun in folder.glob("*.partial"):
            with suppress(FileNotFoundError):  # a neighbour's, finished this moment
                if begun.stat().st_mtime < left_before:
                    discard(begun)

    def found(self, name: str) -> Ready | None:
        """A part that is still here. What an earlier process left is made again."""
        known = self._known.get(name)
        if known is None or not known.file.exists():
            return None
        known.file.touch()
        return known

    def draft(self) -> Path:
        """A file to write a part to, of the caller's own."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self._folder / f"{uuid4()}.partial"

    def keep(self, draft: Path, name: str, sha256: bytes, rows: int) -> Ready:
        """The draft is whole: it takes its place, and what is too much goes."""
        kept = draft.replace(self._folder / name)
        self._known[name] = Ready(kept, kept.stat().st_size, sha256, rows)
        self._make_room(kept)
        return self._known[name]

    def _make_room(self, newest: Path) -> None:
        files = [path for path in self._folder.iterdir() if path.suffix != ".partial"]
        found = sorted(((path.stat(), path) for path in files), key=lambda pair: pair[0].st_mtime)
        held = sum(stat.st_size for stat, _ in found)
        for stat, path in found:
            if held <= self._most or path == newest:
                return
            path.unlink(missing_ok=True)
            self._known.pop(path.name, None)
            held -= stat.st_size


def discard(draft: Path) -> None:
    """Of a part that could not be made."""
    draft.unlink(missing_ok=True)


def sha256_of(file: Path) -> bytes:
    """Of a file's content. Blocks."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").digest()


async def sent(file: Path, first: int, last: int) -> AsyncGenerator[bytes, None]:
    """The bytes `first` to `last` (inclusive), as they are taken. What is open stays whole, even
    if its name goes."""
    with await asyncio.to_thread(file.open, "rb") as content:
        content.seek(first)
        left = last - first + 1
        while left > 0:
            chunk = await asyncio.to_thread(content.read, min(_CHUNK, left))
            if not chunk:
                return
            left -= len(chunk)
            yield chunk
