"""How inquiries speak: as an alert's transitions, or as changes for rules over several sensors."""

import math
from dataclasses import replace

from services.alerts.detect.score import Finding, Sign
from services.alerts.judging.alert import Alert
from services.alerts.judging.change import ConditionChange, Signal
from services.alerts.judging.inquiry import Inquiry
from services.alerts.judging.transition import Kind, Transition
from services.alerts.metrics import TRANSITIONS
from services.alerts.rules.rule import Rule

HISTORICAL_US = 3_600 * 1_000_000  # older than this on arrival: recorded, but nobody is paged


class AlertOutlet:
    """`inquiry.Outlet` of rules on single sensors."""

    def __init__(self) -> None:
        self.transitions: list[Transition] = []

    def judged(self, inquiry: Inquiry, at_us: int, accepted_us: int) -> None:
        """See `inquiry.Outlet.judged`."""
        state, alert, rule = inquiry.state, inquiry.state.told, inquiry.plan.rule
        assert isinstance(alert, Alert)
        before = alert.level
        kinds = (alert.resume(), alert.follow(state.alarm, at_us, rule.flapping))
        for kind in kinds:
            if kind is not None:
                self._tell(kind, inquiry, alert.level or before, at_us, accepted_us)
        state.quiet = not alert.flapping

    def lost(self, inquiry: Inquiry, at_us: int, accepted_us: int) -> None:
        """See `inquiry.Outlet.lost`."""
        alert = inquiry.state.told
        assert isinstance(alert, Alert)
        kind = alert.lose()
        if kind is not None:
            self._tell(kind, inquiry, alert.level, at_us, accepted_us)

    def _tell(self, kind: Kind, inquiry: Inquiry, level: int, at_us: int, accepted_us: int) -> None:
        alert = inquiry.state.told
        assert isinstance(alert, Alert)
        said = told(
            inquiry.plan.rule, inquiry.sensor_id, kind, alert, level,
            inquiry.state.value, at_us, accepted_us,
        )  # fmt: skip
        finding = inquiry.finding()
        said = said if finding is None else _explained(said, finding)
        self.transitions.append(replace(said, crossing=inquiry.crossing(said.threshold)))


def _explained(said: Transition, finding: Finding) -> Transition:
    """With what was expected and observed as limit and value: a score says nothing to an
    operator. Those of what is stuck are no values."""
    said = replace(said, finding=finding)
    known = math.isfinite(finding.expected) and math.isfinite(finding.observed)
    if finding.sign is Sign.STUCK or not known or said.rule.unusual is None:
        return said
    return replace(said, value=finding.observed, threshold=finding.expected)


class SignalOutlet:
    """`inquiry.Outlet` of rules over several sensors."""

    def __init__(self) -> None:
        self.changes: list[ConditionChange] = []

    def judged(self, inquiry: Inquiry, at_us: int, accepted_us: int) -> None:
        """See `inquiry.Outlet.judged`. A comparison hears every reading."""
        compared = inquiry.plan.rule.compare is not None
        holds = True if compared else inquiry.state.alarm.level > 0
        self._say(inquiry, holds, at_us, accepted_us, every=compared)
        inquiry.state.quiet = not compared

    def lost(self, inquiry: Inquiry, at_us: int, accepted_us: int) -> None:
        """See `inquiry.Outlet.lost`."""
        self._say(inquiry, None, at_us, accepted_us)
        inquiry.state.quiet = False

    def _say(
        self,
        inquiry: Inquiry,
        holds: bool | None,
        at_us: int,
        accepted_us: int,
        *,
        every: bool = False,
    ) -> None:
        signal, plan = inquiry.state.told, inquiry.plan
        assert isinstance(signal, Signal)
        if not every and signal.holds is holds and signal.subjects == inquiry.subjects:
            return
        signal.holds, signal.subjects = holds, inquiry.subjects
        self.changes.append(
            ConditionChange(
                plan.rule.id, plan.fingerprint, inquiry.part.index, inquiry.sensor_id,
                inquiry.subjects, at_us, accepted_us, holds, inquiry.state.value,
            )
        )  # fmt: skip


def told(
    rule: Rule,
    subject: str,
    kind: Kind,
    alert: Alert,
    level: int,
    value: float,
    at_us: int,
    accepted_us: int,
) -> Transition:
    """What happened to an alert. `level`: the severity it has, or had."""
    TRANSITIONS.labels(rule.id, kind).inc()
    severities, ladder = rule.severities, rule.limits.ladder
    severity = severities[min(level, len(severities)) - 1]
    return Transition(
        kind=kind,
        rule=rule,
        subject=subject,
        started_us=alert.started_us,
        observed_us=at_us,
        value=value,
        threshold=ladder[min(level, len(ladder)) - 1] if ladder else 0.0,
        grade=severity.grade,
        priority=severity.priority,
        historical=accepted_us - at_us > HISTORICAL_US,
        flapping=alert.flapping,
        level=level,
        warning=severity.warning,
    )
