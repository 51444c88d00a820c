"""What is told of an alarm: an alert that is raised, changes, flaps, is cleared. Pure."""

import msgspec

from services.alerts.judging.alarm import NEVER, Alarm
from services.alerts.judging.transition import Kind
from services.alerts.rules.rule import Flapping


class Alert(msgspec.Struct, array_like=True, tag="alert"):
    """As it was last told. `level`: the severity, 0 is none; `recent`: when it was raised lately;
    `under`, `turned_us`: while it flaps, the level beneath and when that last changed."""

    level: int = 0
    started_us: int = NEVER
    silent: bool = False
    flapping: bool = False
    recent: list[int] = []
    under: int = 0
    turned_us: int = NEVER

    def follow(self, alarm: Alarm, at_us: int, limit: Flapping) -> Kind | None:
        """What is to be told now that the alarm stands so."""
        if self.flapping:
            return self._flap(alarm, at_us, limit.within * 1_000_000)
        if alarm.level == self.level:
            return None
        before, self.level = self.level, alarm.level
        if not before:
            self.started_us = alarm.started_us
            self._remember(at_us, limit)
            return "raised"
        return "changed" if alarm.level else "cleared"

    def lose(self) -> Kind | None:
        """Its data has stopped."""
        if self.silent or not self.level:
            return None
        self.silent = True
        return "no_data"

    def resume(self) -> Kind | None:
        """Its data is back."""
        if not self.silent:
            return None
        self.silent = False
        return "resumed"

    def _remember(self, at_us: int, limit: Flapping) -> None:
        lately = at_us - limit.within * 1_000_000
        self.recent = [raised for raised in self.recent if raised >= lately] + [at_us]
        self.flapping = len(self.recent) > limit.raises
        if self.flapping:
            self.under, self.turned_us = self.level, at_us

    def _flap(self, alarm: Alarm, at_us: int, calm_us: int) -> Kind | None:
        if alarm.level != self.under:
            self.under, self.turned_us = alarm.level, at_us
        if at_us - self.turned_us >= calm_us:
            self.flapping, self.recent, self.level = False, [], alarm.level
            return "changed" if alarm.level else "cleared"
        if alarm.level > self.level:
            self.level = alarm.level
            return "changed"
        return None
