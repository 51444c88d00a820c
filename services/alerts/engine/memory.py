"""What an engine remembers of a partition, as one compressed blob; and how older ones are read."""

import logging
from collections.abc import Iterable, Sequence

import msgspec
import zstandard

from services.alerts.engine.kept import Kept
from services.alerts.judging.machine import Phase, Subject
from services.alerts.rules.rule import Rule
from shared.contracts.topics import partition_of

_log = logging.getLogger(__name__)

UPGRADE = 0  # of a version without snapshots: a JSON list of `_First`
FORMAT = 1  # a `Memory` as MessagePack, compressed with Zstandard
LEVEL = 1


class Memory(msgspec.Struct):
    """States at a place of the log, and the rules (as `Rule.model_dump`) that led to them; None:
    unknown, take those in force. `subjects`: rule, subject, state; `newest`: sensor, metric,
    `observed_us`. Times: epoch microseconds."""

    rules: list[dict[str, object]] | None = None
    subjects: list[tuple[str, str, Subject]] = []
    newest: list[tuple[str, str, int]] = []


class _First(msgspec.Struct):
    rule_id: str
    subject: str
    phase: Phase
    since_us: int
    last_us: int


class Unreadable(ValueError):
    """A snapshot that this version cannot read."""


def pack(memory: Memory) -> bytes:
    """Uncompressed: this must happen before the next record is judged."""
    return msgspec.msgpack.encode(memory)


def compress(packed: bytes) -> bytes:
    """What is kept; may run in another thread."""
    return zstandard.ZstdCompressor(level=LEVEL).compress(packed)


def unpack(form: int, kept: bytes) -> Memory:
    """The inverse of both, and of earlier formats. Raises `Unreadable`."""
    try:
        if form == UPGRADE:
            return _upgraded(msgspec.json.decode(kept, type=list[_First]))
        if form == FORMAT:
            raw = zstandard.ZstdDecompressor().decompress(kept)
            return msgspec.msgpack.decode(raw, type=Memory)
    except (msgspec.MsgspecError, zstandard.ZstdError) as error:
        raise Unreadable(f"a snapshot of format {form}: {error}") from error
    raise Unreadable(f"a snapshot of format {form}, which this version does not know")


def recall(kept: Kept, partition: int, partitions: int) -> Memory:
    """What is kept of a partition; of snapshots that are not its own only the part that is."""
    try:
        memories = [unpack(one.form, one.kept) for one in kept.snapshots]
    except Unreadable as error:
        _log.error("partition %d starts with no memory: %s", partition, error)
        return Memory()
    if kept.own:
        return memories[0]
    own = Memory(memories[0].rules if memories else None)
    for memory in memories:
        own.subjects += [
            state for state in memory.subjects if partition_of(state[1], partitions) == partition
        ]
        own.newest += [
            known for known in memory.newest if partition_of(known[0], partitions) == partition
        ]
    return own


def rules_of(memory: Memory) -> list[Rule] | None:
    """The rules it was judged by; None: unknown, or of a language that is no longer spoken."""
    if memory.rules is None:
        return None
    try:
        return [Rule.model_validate(document) for document in memory.rules]
    except ValueError:
        return None


def documents(rules: Iterable[Rule]) -> list[dict[str, object]]:
    """Rules as `Memory.rules` keeps them."""
    return [rule.model_dump(mode="json", by_alias=True) for rule in rules]


def _upgraded(rows: Sequence[_First]) -> Memory:
    return Memory(
        subjects=[
            (row.rule_id, row.subject, Subject(row.phase, row.since_us, row.last_us))
            for row in rows
        ]
    )
