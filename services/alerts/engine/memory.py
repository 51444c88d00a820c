"""What an engine remembers of a partition, as one compressed blob; and how older ones are read."""

import logging
from collections.abc import Iterable, Sequence
from typing import TypeVar

import msgspec
import zstandard

from services.alerts.engine.beats import Beat
from services.alerts.engine.kept import Kept, Snapshot
from services.alerts.judging.states import States, merged
from services.alerts.rules.rule import Rule
from shared.contracts.topics import partition_of

_log = logging.getLogger(__name__)

UPGRADE = 0  # of a version without snapshots: a JSON list of `First`
FORMAT = 1  # a `Memory` as MessagePack, compressed with Zstandard
LEVEL = 1

T = TypeVar("T")


class First(msgspec.Struct):
    """A state of a version without snapshots. `phase`: normal, pending or active."""

    rule_id: str
    subject: str
    phase: str
    since_us: int
    last_us: int


class Memory(msgspec.Struct):
    """States at a place of the log, and the rules (as `Rule.model_dump`) that led to them; None:
    unknown, take those in force. `first`: states of an earlier version; `beats`: what was not yet
    published, oldest first; `now_us`: how far time had come."""

    rules: list[dict[str, object]] | None = None
    states: States = msgspec.field(default_factory=States)
    first: list[First] = []
    beats: list[Beat] = []
    now_us: int = 0


class Unreadable(ValueError):
    """A snapshot that this version cannot read."""


def pack(memory: msgspec.Struct) -> bytes:
    """Uncompressed: this must happen before the next record is judged."""
    return msgspec.msgpack.encode(memory)


def compress(packed: bytes) -> bytes:
    """What is kept; may run in another thread."""
    return zstandard.ZstdCompressor(level=LEVEL).compress(packed)


def unpack(form: int, kept: bytes, kind: type[T]) -> T:
    """The inverse of both. Raises `Unreadable`."""
    if form != FORMAT:
        raise Unreadable(f"a snapshot of format {form}, which this version does not know")
    try:
        raw = zstandard.ZstdDecompressor().decompress(kept)
        return msgspec.msgpack.decode(raw, type=kind)
    except (msgspec.MsgspecError, zstandard.ZstdError) as error:
        raise Unreadable(f"a snapshot of format {form}: {error}") from error


def _unpack(one: Snapshot) -> Memory:
    if one.form != UPGRADE:
        return unpack(one.form, one.kept, Memory)
    try:
        return Memory(first=msgspec.json.decode(one.kept, type=list[First]))
    except msgspec.MsgspecError as error:
        raise Unreadable(f"what was known before there were snapshots: {error}") from error


def recall(kept: Kept, partition: int, partitions: int) -> Memory:
    """What is kept of a partition; of snapshots that are not its own only the part that is."""
    try:
        memories = [_unpack(one) for one in kept.snapshots]
    except Unreadable as error:
        _log.error("partition %d starts with no memory: %s", partition, error)
        return Memory()
    if kept.own:
        return memories[0]

    def mine(sensor_id: str) -> bool:
        return partition_of(sensor_id, partitions) == partition

    rules = next((memory.rules for memory in reversed(memories) if memory.rules is not None), None)
    states = merged(memory.states.of(mine) for memory in memories)
    first = [one for memory in memories for one in memory.first if mine(one.subject)]
    return Memory(rules, states, first)


def rules_of(written: Sequence[dict[str, object]] | None) -> list[Rule] | None:
    """The rules that led to a memory; None: unknown, or of a language no longer spoken."""
    if written is None:
        return None
    try:
        return [Rule.model_validate(document) for document in written]
    except ValueError:
        return None


def documents(rules: Iterable[Rule]) -> list[dict[str, object]]:
    """Rules as `Memory.rules` keeps them."""
    return [rule.model_dump(mode="json", by_alias=True) for rule in rules]
