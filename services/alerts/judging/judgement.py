"""What is known of every subject, and what readings have changed since it was written. Pure."""

from collections.abc import Mapping, Sequence

from services.alerts.judging.machine import Judge, Outcome, Phase, Subject, belonging, is_historical
from services.alerts.judging.transition import Changes, Key, Kind, Transition
from services.alerts.metrics import TRANSITIONS
from shared.contracts.reading import Reading

Series = tuple[str, str]  # sensor id, metric

_NEVER = -(2**63)


class Judgement:
    """States of subjects in memory. What `changes` gives must be written, then `written` called."""

    def __init__(
        self,
        rules: Mapping[str, str],
        subjects: Mapping[Key, Subject],
        newest: Mapping[Series, int] | None = None,
    ) -> None:
        """`rules`: id → metric; `subjects`: as they were last written; `newest`: `observed_us` of
        the newest reading judged of each series."""
        self._subjects = dict(subjects)
        self._newest: dict[Series, int] = dict(newest or {})
        self._touched: set[Key] = set()
        self._transitions: list[Transition] = []
        for (rule_id, sensor_id), subject in subjects.items():
            series = (sensor_id, rules.get(rule_id, ""))
            self._newest[series] = max(subject.last_us, self._newest.get(series, _NEVER))

    @property
    def subjects(self) -> Mapping[Key, Subject]:
        """Every state."""
        return self._subjects

    @property
    def newest(self) -> Mapping[Series, int]:
        """Of each series the newest reading judged."""
        return self._newest

    @property
    def urgent(self) -> bool:
        """True when an alert waits to be written."""
        return bool(self._transitions)

    def hear(self, reading: Reading, judges: Sequence[Judge], accepted_us: int) -> bool:
        """Judge one reading by every rule that watches its series. A late one or a repeat is not
        judged, and False: it is stored, but turns nothing back."""
        series = (reading.sensor_id, reading.metric)
        observed_us = reading.observed_us
        if observed_us <= self._newest.get(series, _NEVER):
            return False
        self._newest[series] = observed_us
        for judge in judges:
            key = (judge.rule.id, reading.sensor_id)
            before = self._subjects.get(key)
            if before is None and not judge.raises(reading.value):
                continue  # normal, as it has always been
            after, outcome = judge.judge(before, observed_us, reading.value)
            if after is None:
                continue
            self._subjects[key] = after
            self._touched.add(key)
            if outcome is Outcome.RAISED:
                self._note("raised", judge, reading, after, accepted_us)
            elif outcome is Outcome.CLEARED and before is not None:
                self._note("cleared", judge, reading, before, accepted_us)
        return True

    def tick(self, now_us: int) -> None:
        """Time has come this far."""

    def changes(self) -> Changes:
        """Everything that is not written yet."""
        touched = {key: self._subjects[key] for key in self._touched}
        return Changes(list(self._transitions), touched)

    def written(self, incidents: Mapping[Key, str]) -> None:
        """All of it is written; `incidents`: which incident each raised subject belongs to."""
        for key, incident in incidents.items():
            if self._subjects[key].phase is Phase.ACTIVE:
                self._subjects[key] = belonging(self._subjects[key], incident)
        self._touched.clear()
        self._transitions.clear()

    def _note(
        self, kind: Kind, judge: Judge, reading: Reading, subject: Subject, accepted_us: int
    ) -> None:
        historical = is_historical(reading.observed_us, accepted_us)
        self._transitions.append(
            Transition(
                kind=kind,
                rule=judge.rule,
                subject=reading.sensor_id,
                started_us=subject.since_us,
                observed_us=reading.observed_us,
                value=reading.value,
                threshold=judge.rule.threshold,
                grade=judge.rule.grade,
                priority=judge.rule.priority,
                historical=historical,
                incident=subject.incident,
            )
        )
        TRANSITIONS.labels(judge.rule.id, kind).inc()
