"""All rules, compiled: which of them concern a series. Pure."""

from collections.abc import Iterable, Set

from services.alerts.judging.machine import Judge
from services.alerts.rules.rule import Rule


class Book:
    """The enabled rules, by id. A metric that is not in `metrics` concerns none of them."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules = {rule.id: rule for rule in rules if rule.enabled and rule.limited}
        self._by_metric: dict[str, list[Judge]] = {}
        for rule in self.rules.values():
            self._by_metric.setdefault(rule.metric, []).append(Judge(rule))
        self.metrics = frozenset(self._by_metric)

    def by_area(self, metric: str) -> bool:
        """True when it matters where a sensor of this metric lies."""
        return any(judge.rule.areas for judge in self._by_metric.get(metric, ()))

    def watchers(self, sensor_id: str, metric: str, area_ids: Set[str]) -> tuple[Judge, ...]:
        """The rules on a series. `area_ids`: every area that the sensor lies in."""
        judges = self._by_metric.get(metric, ())
        return tuple(judge for judge in judges if judge.rule.concerns(sensor_id, area_ids))
