"""Makes a fault happen, and takes it back."""

import signal
import time

from tests.chaos.background import Background
from tests.chaos.fleet import Fleet
from tests.chaos.relay import Mode
from tests.chaos.schedule import PARTS, Fault, Kind
from tests.chaos.skewed import move


class Faults:
    """Of one fleet."""

    def __init__(self, fleet: Fleet, loop: Background) -> None:
        self._fleet = fleet
        self._loop = loop

    def happen(self, fault: Fault) -> float:
        """The whole of it; when (monotonic) what was hit was there again: a process is when it says
        that it is ready, a part when it answers."""
        match fault.kind:
            case Kind.KILL:
                return self._kill(fault)
            case Kind.RESTART:
                self._fleet.stop_part(fault.target)
                return self._part_again(fault)
            case Kind.PAUSE:
                self._fleet.signal(fault.target, signal.SIGSTOP)
                time.sleep(fault.seconds)
                self._fleet.signal(fault.target, signal.SIGCONT)
            case Kind.FULL:
                return self._full(fault)
            case Kind.PARTITION if fault.target in self._fleet.namespaces:
                self._fleet.namespaces[fault.target].part()
                time.sleep(fault.seconds)
                self._fleet.namespaces[fault.target].connect()
            case Kind.CUT | Kind.STALL | Kind.DELAY | Kind.PARTITION:
                self._network(fault)
            case Kind.CLOCK:
                move(self._fleet.clock(fault.target), fault.amount)
                time.sleep(fault.seconds)
                move(self._fleet.clock(fault.target), 0.0)
            case Kind.ROLL:
                self._roll(fault)
            case Kind.REBALANCE:
                self._fleet.end(fault.target)
                time.sleep(fault.seconds)
                self._fleet.start_and_wait(fault.target)
        return time.monotonic()

    def _kill(self, fault: Fault) -> float:
        if fault.target in PARTS:
            self._fleet.kill_part(fault.target)
            return self._part_again(fault)
        self._fleet.end(fault.target, signal.SIGKILL)
        time.sleep(fault.seconds)
        self._fleet.start_and_wait(fault.target)
        return time.monotonic()

    def _part_again(self, fault: Fault) -> float:
        time.sleep(fault.seconds)
        self._fleet.start_part(fault.target)
        return time.monotonic()

    def _full(self, fault: Fault) -> float:
        """The part may well die of it; its operator makes room and starts it again."""
        disk = self._fleet.disks[fault.target]
        try:
            disk.fill()
            time.sleep(fault.seconds)
        finally:
            disk.empty()
        self._fleet.start_part(fault.target)
        return time.monotonic()

    def _network(self, fault: Fault) -> None:
        modes = {Kind.CUT: Mode.CUT, Kind.DELAY: Mode.DELAY}
        mode = modes.get(fault.kind, Mode.STALL)
        parts = PARTS if fault.kind is Kind.PARTITION else (fault.part,)
        relays = [self._fleet.relays[fault.target, part] for part in parts]
        for relay in relays:
            self._loop.do(relay.set(mode, fault.amount))
        time.sleep(fault.seconds)
        for relay in relays:
            self._loop.do(relay.set(Mode.PASS))

    def _roll(self, fault: Fault) -> None:
        for name in self._fleet.replicas(fault.target):
            self.replace(name)

    def replace(self, name: str) -> None:
        """End one replica in peace, and wait until its successor is ready."""
        self._fleet.end(name)
        self._fleet.start_and_wait(name)
