"""What goes wrong, where, when and for how long: drawn from a seed, the same every time. Pure."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

REPLICAS = 2
SERVICES = ("gateway", "normaliser", "writer", "alerts", "ops_center")
GROUPS = ("normaliser", "writer", "alerts")  # those that share partitions
PARTS = ("kafka", "database")


class Kind(StrEnum):
    """What a fault is. Each is told in docs/chaos.md."""

    KILL = "kill"  # -9, started again after a while
    PAUSE = "pause"  # SIGSTOP, SIGCONT
    RESTART = "restart"  # a part is told to stop and started again
    FULL = "full"  # no byte is left on a part's disk
    CUT = "cut"  # connections of one process to one part are reset, new ones too
    STALL = "stall"  # nothing gets through, nobody is told
    DELAY = "delay"  # everything takes longer
    PARTITION = "partition"  # one process reaches neither part
    CLOCK = "clock"  # the wall clock of one process jumps and jumps back
    ROLL = "roll"  # the replicas of one service are replaced one by one
    REBALANCE = "rebalance"  # a member leaves its consumer group and comes back


# What is likelier: the things that happen most.
_WEIGHTS = {
    Kind.KILL: 5, Kind.PAUSE: 3, Kind.RESTART: 2, Kind.FULL: 1, Kind.CUT: 3, Kind.STALL: 3,
    Kind.DELAY: 2, Kind.PARTITION: 2, Kind.CLOCK: 2, Kind.ROLL: 2, Kind.REBALANCE: 2,
}  # fmt: skip
# Seconds that it lasts: shorter and longer than the log's session timeout of 10 s.
_SECONDS = {
    Kind.KILL: (0.0, 3.0), Kind.PAUSE: (1.0, 14.0), Kind.RESTART: (0.0, 4.0),
    Kind.FULL: (2.0, 6.0), Kind.CUT: (1.0, 8.0), Kind.STALL: (1.0, 14.0), Kind.DELAY: (3.0, 8.0),
    Kind.PARTITION: (2.0, 14.0), Kind.CLOCK: (3.0, 10.0), Kind.ROLL: (0.0, 0.0),
    Kind.REBALANCE: (2.0, 12.0),
}  # fmt: skip
_DELAYS_SECONDS = (0.1, 0.3, 1.0)
_JUMPS_SECONDS = (-90.0, -20.0, 20.0, 90.0)


@dataclass(frozen=True)
class Fault:
    """One fault. `target`: a process (`writer-2`), a part (`kafka`) or a service (`writer`);
    `part`: to which a process loses its way; `amount`: seconds of a delay or a jump."""

    number: int
    kind: Kind
    target: str
    seconds: float
    part: str = ""
    amount: float = 0.0

    def __str__(self) -> str:
        """One line of the schedule."""
        way = f" → {self.part}" if self.part else ""
        amount = f" by {self.amount:+g} s" if self.amount else ""
        return f"{self.number:>3}  {self.kind:<9} {self.target}{way}{amount} for {self.seconds:g} s"


def processes(replicas: int = REPLICAS) -> list[str]:
    """Names of all processes."""
    return [f"{name}-{number}" for name in SERVICES for number in range(1, replicas + 1)]


def draw(seed: int, count: int, without: Sequence[Kind] = ()) -> list[Fault]:
    """`count` faults. The first ones are of every kind once, as far as they go, so that a short
    run is no lottery; `without`: what this machine cannot do. Leaving one out changes no other."""
    chance = random.Random(seed)
    kinds = list(Kind)
    chance.shuffle(kinds)
    weights = [_WEIGHTS[kind] for kind in Kind]
    while len(kinds) < count * 2:
        kinds += chance.choices(list(Kind), weights)
    drawn = [_fault(random.Random(f"{seed}/{at}"), kind) for at, kind in enumerate(kinds)]
    fit = [fault for fault in drawn if fault.kind not in without][:count]
    return [Fault(**(vars(fault) | {"number": at})) for at, fault in enumerate(fit, 1)]


def _fault(chance: random.Random, kind: Kind) -> Fault:
    seconds = round(chance.uniform(*_SECONDS[kind]), 1)
    process, part = chance.choice(processes()), chance.choice(PARTS)
    match kind:
        case Kind.KILL | Kind.PAUSE:
            target = part if chance.random() < 0.35 else process
            limit = 6.0 if target in PARTS else seconds
            return Fault(0, kind, target, min(seconds, limit))
        case Kind.RESTART | Kind.FULL:
            return Fault(0, kind, part, seconds)
        case Kind.CUT | Kind.STALL:
            return Fault(0, kind, process, seconds, part)
        case Kind.DELAY:
            return Fault(0, kind, process, seconds, part, chance.choice(_DELAYS_SECONDS))
        case Kind.CLOCK:
            return Fault(0, kind, process, seconds, "", chance.choice(_JUMPS_SECONDS))
        case Kind.ROLL:
            return Fault(0, kind, chance.choice(SERVICES), 0.0)
        case Kind.REBALANCE:
            return Fault(0, kind, f"{chance.choice(GROUPS)}-{chance.randint(1, REPLICAS)}", seconds)
        case Kind.PARTITION:
            return Fault(0, kind, process, seconds)
