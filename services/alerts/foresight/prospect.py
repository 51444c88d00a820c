"""One series as far as it was heard: what is foretold, how good that has been, or why there is
nothing to say. Pure."""

from collections.abc import Iterable
from enum import StrEnum

from services.alerts.detect.forecast import DAY_US
from services.alerts.detect.outlook import HOURS, STEP_US, outlook
from services.alerts.detect.record import Record

QUIET_US = 4 * STEP_US  # so long after its last quarter a series is silent
CENTRE_US = STEP_US // 2


class State(StrEnum):
    """Whether there is a forecast."""

    READY = "ready"
    NOT_CHOSEN = "not_chosen"  # neither a rule nor the registry asks for it
    TOO_LITTLE = "too_little"  # less than a day is known
    GAP = "gap"  # the same hours of yesterday are missing
    SILENT = "silent"  # no readings lately


REASONS = {
    State.NOT_CHOSEN: ("该序列未列入预测", "This series is not foretold"),
    State.TOO_LITTLE: ("历史数据不足一天，暂不预测", "Less than a day is known: no forecast yet"),
    State.GAP: ("昨日同时段数据缺失，暂不预测", "Yesterday's readings of these hours are missing"),
    State.SILENT: ("近一小时没有数据，不作预测", "No reading for an hour: nothing to go on"),
}  # words of every state that has no forecast, in Chinese and English


class Prospect:
    """`until_us`: up to when it was heard."""

    def __init__(self, since_us: int) -> None:
        self.outlook = outlook()
        self.record = Record(HOURS)
        self.until_us = since_us
        self.first_us: int | None = None

    def hear(self, means: Iterable[tuple[int, float]], until_us: int) -> None:
        """Means of complete quarters, oldest first, up to `until_us`."""
        for at_us, mean in means:
            self.first_us = at_us if self.first_us is None else self.first_us
            self.record.came(at_us + CENTRE_US, mean)
            self.outlook.learn(at_us, mean)
            self.record.promise(at_us + CENTRE_US, self.outlook.ahead)
        self.until_us = until_us

    @property
    def state(self) -> State:
        """Of the newest forecast."""
        made_us = self.outlook.made_us
        if self.first_us is None or made_us < self.until_us - QUIET_US:
            return State.SILENT
        if self.outlook.ahead:
            return State.READY
        return State.TOO_LITTLE if made_us - self.first_us <= DAY_US else State.GAP
