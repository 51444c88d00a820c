"""One series: which inquiries its readings concern, and when it has been silent. Pure."""

import math
from collections.abc import Iterable
from typing import Protocol

from services.alerts.judging.inquiry import Inquiry
from services.alerts.judging.plan import Part, Plan

SILENCE_US = 900 * 1_000_000  # unless a rule says otherwise, or the series is slower than that
INTERVALS = 3
LONGEST_US = 86_400 * 1_000_000
NEVER_US = -(2**62)
FAR_US = 2**62

Asked = tuple[Plan, Part, int]  # the leaf's place within the part


class Inquiries(Protocol):
    """All inquiries there are."""

    def known(self, plan: Plan, part: Part, sensor_id: str) -> Inquiry | None:
        """The inquiry, if the sensor was ever asked."""
        ...

    def find(self, plan: Plan, part: Part, sensor_id: str) -> Inquiry:
        """The inquiry, begun if need be."""
        ...


class Track:
    """The readings of one series that are of a quality. `heard_us`: when its newest one was known
    to have come; `earlier_us`: the two before, newest first. Most readings lie between `_low`
    and `_high` and concern only the `_standing` inquiries. `queued_us`: when somebody will look
    whether it is silent; `moved`: that may have to be earlier now."""

    __slots__ = ("_asked", "_awake", "_high", "_idle", "_inquiries", "_low", "_standing", "gap_us",
                 "heard_us", "moved", "newest_us", "older_gap_us", "patience_us", "queued_us",
                 "sensor_id")  # fmt: skip

    def __init__(self, sensor_id: str, inquiries: Inquiries) -> None:
        self.sensor_id = sensor_id
        self.newest_us = self.heard_us = NEVER_US
        self.gap_us = self.older_gap_us = 0
        self.queued_us = FAR_US
        self._inquiries = inquiries
        self.ask(())

    def ask(self, asked: Iterable[Asked]) -> None:
        """From now on these parts are asked."""
        self._asked = tuple(asked)
        self._sort()

    @property
    def asked(self) -> tuple[Asked, ...]:
        """All that is asked."""
        return self._asked

    def hear(self, at_us: int, value: float, accepted_us: int) -> bool:
        """One reading; False when it is not newer than those heard."""
        gap = at_us - self.newest_us
        if gap <= 0:
            return False
        if gap > self.patience_us:
            gap = self._miss(at_us, accepted_us)
        self.newest_us = at_us
        self.heard_us = accepted_us if accepted_us > at_us else at_us
        self.older_gap_us, self.gap_us = self.gap_us, gap
        for inquiry, place in self._standing:
            inquiry.hear(place, at_us, value, accepted_us)
        if self._awake or not self._low <= value <= self._high:
            self._stir(at_us, value, accepted_us)
        return True

    def due_us(self) -> int:
        """The tick after which it has been silent for too long; FAR_US when nobody waits."""
        base = max(self.newest_us, self.heard_us)
        waits = [
            wait
            for inquiry, place, wait in self._waiting()
            if not inquiry.state.leaves[place].silent
        ]
        return base + min(waits) if waits and self.newest_us > NEVER_US else FAR_US

    def tick(self, due_us: int, now_us: int) -> None:
        """Time has come to `now_us` without another reading: too long for who waits to `due_us`."""
        base = max(self.newest_us, self.heard_us)
        for inquiry, place, wait in self._waiting():
            if base + wait <= due_us and not inquiry.state.leaves[place].silent:
                inquiry.silence(place, self.newest_us + wait, self.newest_us, now_us)
        self._sort()

    def _miss(self, at_us: int, accepted_us: int) -> int:
        """The reading that has come is the first, or later than some could wait: the interval."""
        if self.newest_us == NEVER_US:
            self.moved = True
            return 0
        for inquiry, place, wait in self._waiting():
            if self.newest_us + wait < at_us and not inquiry.state.leaves[place].silent:
                inquiry.silence(place, self.newest_us + wait, self.newest_us, accepted_us)
        self._sort()
        return at_us - self.newest_us

    def _waiting(self) -> list[tuple[Inquiry, int, int]]:
        """Inquiries, the place of this series in them, and for how long each can wait."""
        pace = INTERVALS * min(self.gap_us, self.older_gap_us, LONGEST_US)
        usual = max(SILENCE_US, pace)
        found = []
        for plan, part, place in self._asked:
            inquiry = self._needed(plan, part)
            if inquiry is None or (_lazy(plan, part) and not inquiry.awake):
                continue
            own = usual if plan.silence_us is None else plan.silence_us
            wait = part.leaves[place].absent_us or own
            found.append((inquiry, place, wait))
        return sorted(found, key=_urgency)

    def _stir(self, at_us: int, value: float, accepted_us: int) -> None:
        """Hear with those that are awake, and wake those that the value concerns."""
        moved = False
        for inquiry, place in self._awake:
            inquiry.hear(place, at_us, value, accepted_us)
            moved = moved or not inquiry.awake
        for plan, part, place in self._idle:
            if part.band is not None and not part.band[0] <= value <= part.band[1]:
                self._inquiries.find(plan, part, self.sensor_id).hear(
                    place, at_us, value, accepted_us
                )
                moved = True
        if moved:
            self._sort()

    def _sort(self) -> None:
        """Who hears every reading, who only some."""
        self._standing: list[tuple[Inquiry, int]] = []
        self._awake: list[tuple[Inquiry, int]] = []
        self._idle: list[Asked] = []
        self._low, self._high = -math.inf, math.inf
        patience = FAR_US
        for asked in self._asked:
            patience = min(patience, self._place(*asked))
        self.patience_us = patience
        self.moved = True

    def _place(self, plan: Plan, part: Part, place: int) -> int:
        """Put one where it belongs; returns for how long it can surely wait."""
        wait = part.leaves[place].absent_us or plan.silence_us or SILENCE_US
        inquiry = self._needed(plan, part)
        if inquiry is not None and inquiry.awake:
            settled = part.band is None and not part.waits
            (self._standing if settled else self._awake).append((inquiry, place))
            return wait
        self._idle.append((plan, part, place))
        if part.band is not None:
            self._low, self._high = max(self._low, part.band[0]), min(self._high, part.band[1])
        return FAR_US if _lazy(plan, part) else wait

    def _needed(self, plan: Plan, part: Part) -> Inquiry | None:
        if _lazy(plan, part):
            return self._inquiries.known(plan, part, self.sensor_id)
        return self._inquiries.find(plan, part, self.sensor_id)


def _urgency(waiting: tuple[Inquiry, int, int]) -> tuple[int, str, int, int]:
    inquiry, place, wait = waiting
    return wait, inquiry.plan.rule.id, inquiry.part.index, place


def _lazy(plan: Plan, part: Part) -> bool:
    """True for what begins to exist only with the first reading beyond a limit."""
    return plan.local and part.band is not None
