"""What an engine remembers of a partition, as one compressed blob; and how older ones are read."""

import logging
from collections.abc import Iterable

import msgspec
import zstandard

from services.alerts.engine.kept import Kept
from services.alerts.judging.states import States, merged
from services.alerts.rules.rule import Rule
from shared.contracts.topics import partition_of

_log = logging.getLogger(__name__)

UPGRADE = 0  # of a version without snapshots: a JSON list of `First`
FORMAT = 1  # a `Memory` as MessagePack, compressed with Zstandard
LEVEL = 1


class First(msgspec.Struct):
    """A state of a version without snapshots. `phase`: normal, pending or active."""

    rule_id: str
    subject: str
    phase: str
    since_us: int
    last_us: int


class Memory(msgspec.Struct):
    """States at a place of the log, and the rules (as `Rule.model_dump`) that led to them; None:
    unknown, take those in force. `first`: states of an earlier version."""

    rules: list[dict[str, object]] | None = None
    states: States = msgspec.field(default_factory=States)
    first: list[First] = []


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
            return Memory(first=msgspec.json.decode(kept, type=list[First]))
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

    def mine(sensor_id: str) -> bool:
        return partition_of(sensor_id, partitions) == partition

    rules = next((memory.rules for memory in reversed(memories) if memory.rules is not None), None)
    states = merged(memory.states.of(mine) for memory in memories)
    first = [one for memory in memories for one in memory.first if mine(one.subject)]
    return Memory(rules, states, first)


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
