"""A portion of the log, made ready for the database before its turn comes. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.ingest.storage.copyrows import encode_rows, rows_of
from services.ingest.storage.delivery import Delivery
from services.ingest.storage.fold import Folded, fold


@dataclass(frozen=True, slots=True)
class Prepared:
    """`copied`: the plain rows of `folded` as one COPY stream."""

    deliveries: Sequence[Delivery]
    folded: Folded
    copied: bytes

    @property
    def rows(self) -> int:
        """How many readings it carries."""
        return sum(delivery.rows for delivery in self.deliveries)


def prepare(deliveries: Sequence[Delivery]) -> Prepared:
    """Fold and encode."""
    folded = fold(arrival for delivery in deliveries for arrival in delivery.arrivals())
    return Prepared(deliveries, folded, encode_rows(rows_of(folded.plain.values())))
