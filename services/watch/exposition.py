"""What a process says of itself: the text of `/metrics`, read. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Exposition:
    """Series by name: labels and value."""

    series: Mapping[str, tuple[tuple[Labels, float], ...]]

    def each(self, name: str, **labels: str) -> Iterator[tuple[Labels, float]]:
        """The series of a name that have these labels."""
        for own, value in self.series.get(name, ()):
            if labels.items() <= own.items():
                yield own, value

    def total(self, name: str, **labels: str) -> float:
        """Their sum; 0 of none."""
        return sum(value for _, value in self.each(name, **labels))

    def only(self, name: str) -> float | None:
        """The value of a series that stands alone; None if it is not there."""
        return next((value for _, value in self.each(name)), None)


def read(text: str) -> Exposition:
    """Raises `ValueError` for what is no exposition."""
    found: dict[str, list[tuple[Labels, float]]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return Exposition({name: tuple(each) for name, each in found.items()})
