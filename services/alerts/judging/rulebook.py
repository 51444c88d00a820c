"""All rules, compiled: which of them ask what of a series. Pure."""

from collections.abc import Iterable, Set
from dataclasses import dataclass

from services.alerts.judging.plan import Part, Plan, compile_rule
from services.alerts.judging.schedule import DayKind, official_day
from services.alerts.rules.rule import Rule, matches


@dataclass(frozen=True, slots=True)
class Watch:
    """A leaf of a rule that listens to a series. `subjects`: the areas or groups it counts in."""

    plan: Plan
    part: Part
    place: int
    subjects: tuple[str, ...] = ()


class Book:
    """The enabled rules, by id. A metric that is not in `metrics` concerns none of them.

    `day_kind`: a date in China Standard Time → `workday` or `restday`; `combining`: whether any
    rule is over several sensors.
    """

    def __init__(self, rules: Iterable[Rule], day_kind: DayKind = official_day) -> None:
        self.day_kind = day_kind
        self.rules = {rule.id: rule for rule in rules if rule.enabled}
        self.plans = {rule.id: compile_rule(rule, day_kind) for rule in self.rules.values()}
        self.combining = any(not plan.local for plan in self.plans.values())
        self._by_metric: dict[str, list[Watch]] = {}
        for plan in self.plans.values():
            for part in plan.parts:
                for place, leaf in enumerate(part.leaves):
                    watch = Watch(plan, part, place)
                    self._by_metric.setdefault(leaf.metric, []).append(watch)
        self.metrics = frozenset(self._by_metric)

    def by_area(self, metric: str) -> bool:
        """True when it matters where a sensor of this metric lies."""
        return any(watch.plan.rule.areas for watch in self._by_metric.get(metric, ()))

    def watchers(self, sensor_id: str, metric: str, area_ids: Set[str]) -> tuple[Watch, ...]:
        """What is asked of a series. `area_ids`: every area that the sensor lies in."""
        found = (_narrow(one, sensor_id, area_ids) for one in self._by_metric.get(metric, ()))
        return tuple(one for one in found if one is not None)


def _narrow(watch: Watch, sensor_id: str, area_ids: Set[str]) -> Watch | None:
    """The watch as it concerns one sensor; None when it does not."""
    rule = watch.plan.rule
    if watch.part.sensor not in (None, sensor_id):
        return None
    concerned = rule.concerns(sensor_id, area_ids)
    if rule.compare is not None:
        if not concerned and not matches(sensor_id, rule.compare.other):
            return None
        return Watch(watch.plan, watch.part, watch.place, (sensor_id,) if concerned else ())
    if not concerned:
        return None
    if watch.plan.local:
        return watch
    subjects = _subjects(rule, sensor_id, area_ids)
    return Watch(watch.plan, watch.part, watch.place, subjects) if subjects else None


def _subjects(rule: Rule, sensor_id: str, area_ids: Set[str]) -> tuple[str, ...]:
    if rule.subject == "area":
        return tuple(area for area in rule.areas if area in area_ids)
    return tuple(group.id for group in rule.groups if group.holds(sensor_id))
