"""What one sensor is asked by one part of a rule: its state, judged reading by reading. Pure."""

from typing import Protocol

import msgspec

from services.alerts.detect.outlook import Crossing
from services.alerts.detect.score import Finding
from services.alerts.judging.alarm import Alarm, new_alarm
from services.alerts.judging.alert import Alert
from services.alerts.judging.change import Signal
from services.alerts.judging.logic import Truth
from services.alerts.judging.measures import Foresight, Measure, Rareness
from services.alerts.judging.plan import Leaf, Part, Plan


class LeafState(msgspec.Struct, array_like=True):
    """Of one leaf. `alarm`: its own timers, where several are combined; `silent`: no data."""

    measure: Measure | None = None
    alarm: Alarm | None = None
    truth: Truth = None
    silent: bool = False


class InquiryState(msgspec.Struct, array_like=True):
    """Of one inquiry. `last_us`: how far it has come in event time; `value`: what was measured
    last; `told`: what was said of it; `quiet`: nothing is to be said while all stays well;
    `error`: it could not be judged."""

    alarm: Alarm
    leaves: list[LeafState]
    told: Alert | Signal
    last_us: int = 0
    value: float = 0.0
    quiet: bool = False
    error: bool = False


class Outlet(Protocol):
    """Who tells others. Both set `quiet`."""

    def judged(self, inquiry: "Inquiry", at_us: int, accepted_us: int) -> None:
        """The alarm may have changed."""
        ...

    def lost(self, inquiry: "Inquiry", at_us: int, accepted_us: int) -> None:
        """Nothing is known of it any more."""
        ...


class Inquiry:
    """A part of a rule at a sensor. `subjects`: the areas or groups in which it counts; a leaf's
    `place` is its index within the part."""

    __slots__ = ("_calm", "_measure", "_outlet", "part", "plan", "sensor_id", "state", "subjects")

    def __init__(
        self, plan: Plan, part: Part, sensor_id: str, state: InquiryState, outlet: Outlet
    ) -> None:
        self.plan, self.part, self.sensor_id, self.state = plan, part, sensor_id, state
        self._outlet = outlet
        self.subjects: tuple[str, ...] = ()
        # Most readings change nothing: what they need is close at hand. Bits of places.
        self._measure = None if part.truth is not None else state.leaves[0].measure
        self._calm = 0
        self.settle()

    @property
    def awake(self) -> bool:
        """True while every reading must be heard."""
        if self.part.band is None and not self.part.waits:
            return True
        return not (self.state.quiet and self.state.alarm.idle)

    def settle(self) -> None:
        """Find the places at which a reading within the limits changes nothing."""
        state, calm = self.state, 0
        if state.quiet and state.alarm.idle:
            for place, leaf in enumerate(state.leaves):
                if leaf.alarm is None:
                    still = not leaf.silent
                else:
                    measured = leaf.silent or leaf.measure is not None
                    still = leaf.truth is False and leaf.alarm.idle and not measured
                calm |= still << place
        self._calm = calm

    def finding(self) -> Finding | None:
        """What is unusual, where that is asked."""
        measures = (leaf.measure for leaf in self.state.leaves)
        return next((one.finding() for one in measures if isinstance(one, Rareness)), None)

    def crossing(self, limit: float) -> Crossing | None:
        """When the limit is passed, where the next hours are foretold; of several conditions the
        forecast's own."""
        own = None if self.part.truth is not None else limit
        measures = (leaf.measure for leaf in self.state.leaves)
        return next((one.crossing(own) for one in measures if isinstance(one, Foresight)), None)

    def hear(self, place: int, at_us: int, value: float, accepted_us: int) -> None:
        """One reading of the leaf's series, newer than those before."""
        try:
            measured = value if self._measure is None else self._measure.hear(at_us, value)
            if measured is None:
                return
            if self._calm >> place & 1 and not self.part.leaves[place].beyond(measured):
                return
            if self.part.truth is None:
                self._hear_only(at_us, measured, accepted_us)
            else:
                self._hear_one_of(place, at_us, value, accepted_us)
        except (ArithmeticError, ValueError, LookupError):  # of one rule: it stops no other
            self.state.error = True
        self.settle()

    def silence(self, place: int, at_us: int, last_us: int, accepted_us: int) -> None:
        """No reading of the leaf's series since `last_us`: at `at_us` that is long enough."""
        state, leaf = self.state, self.part.leaves[place]
        own = state.leaves[place]
        own.silent = True
        if own.alarm is None and leaf.absent_us:
            self._step(at_us, 1, 1, accepted_us)
        elif own.alarm is None:
            state.alarm.pause(last_us)
            self._lose(at_us, accepted_us)
        else:
            self._silence_one_of(leaf, own, at_us, last_us, accepted_us)
        self.settle()

    def _silence_one_of(
        self, leaf: Leaf, own: LeafState, at_us: int, last_us: int, accepted_us: int
    ) -> None:
        assert own.alarm is not None
        if leaf.absent_us:
            own.alarm.step(leaf.timing, at_us, 1, 1)
            own.truth = True
        else:
            own.alarm.pause(last_us)
            own.truth = None
        self._combine(at_us, accepted_us)

    def _hear_only(self, at_us: int, measured: float, accepted_us: int) -> None:
        leaf, own, state = self.part.leaves[0], self.state.leaves[0], self.state
        if own.silent:
            own.silent = False
            state.alarm.resume(at_us)
        state.value = measured
        self._step(at_us, leaf.beyond(measured), leaf.kept(measured), accepted_us)

    def _hear_one_of(self, place: int, at_us: int, value: float, accepted_us: int) -> None:
        leaf, own = self.part.leaves[place], self.state.leaves[place]
        assert own.alarm is not None
        if own.silent:
            own.silent = False
            own.alarm.resume(at_us)
        measured = value if own.measure is None else own.measure.hear(at_us, value)
        self.state.value = value
        if measured is None:
            own.truth = None
        else:
            beyond, kept = leaf.beyond(measured), leaf.kept(measured)
            own.alarm.step(leaf.timing, at_us, beyond, kept)
            own.truth = own.alarm.level > 0
        self._combine(at_us, accepted_us)

    def _combine(self, at_us: int, accepted_us: int) -> None:
        state, truth = self.state, self.part.truth
        assert truth is not None
        found = truth([leaf.truth for leaf in state.leaves])
        if found is None:
            state.alarm.pause(state.last_us)
            self._lose(at_us, accepted_us)
            return
        state.alarm.resume(max(at_us, state.last_us))
        if found or not state.quiet or not state.alarm.idle:
            self._step(at_us, int(found), int(found), accepted_us)
        else:
            state.last_us = max(at_us, state.last_us)

    def _step(self, at_us: int, beyond: int, kept: int, accepted_us: int) -> None:
        state = self.state
        state.last_us = at_us = max(at_us, state.last_us)
        if not self.plan.active(at_us):
            beyond = kept = 0
        state.alarm.step(self.part.timing, at_us, beyond, kept)
        state.error = False
        self._outlet.judged(self, at_us, accepted_us)

    def _lose(self, at_us: int, accepted_us: int) -> None:
        self.state.last_us = at_us = max(at_us, self.state.last_us)
        self._outlet.lost(self, at_us, accepted_us)


def new_state(plan: Plan, part: Part) -> InquiryState:
    """Of a sensor that is asked for the first time."""
    told: Alert | Signal = Alert() if plan.local else Signal()
    leaves = [_new_leaf(leaf, part) for leaf in part.leaves]
    return InquiryState(new_alarm(part.timing), leaves, told, quiet=plan.local)


def _new_leaf(leaf: Leaf, part: Part) -> LeafState:
    return LeafState(leaf.measure(), None if part.truth is None else new_alarm(leaf.timing))
