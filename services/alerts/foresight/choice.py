"""Which series are foretold: those that a rule's forecast asks for, and those of metrics that the
registry marks. Pure."""

from collections.abc import Iterable, Iterator, Set

from services.alerts.rules.rule import Rule

REGISTRY = "registry"


def chosen_by(
    rules: Iterable[Rule], sensor_id: str, metric: str, area_ids: Set[str], *, marked: bool
) -> list[str]:
    """Who chose a series: ids of rules in force, and `registry`; nobody: it is not foretold.
    `area_ids`: every area that the sensor lies in; `marked`: the registry's word on the metric."""
    found = [
        rule.id for rule in rules
        if rule.enabled and metric in _foretold(rule) and rule.concerns(sensor_id, area_ids)
    ]  # fmt: skip
    return [*found, REGISTRY] if marked else found


def _foretold(rule: Rule) -> Iterator[str]:
    """The metrics whose forecast a rule asks for."""
    for one in rule.walk():
        if one.forecast is not None:
            yield one.metric or rule.metric
