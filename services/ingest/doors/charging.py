"""What a request at one of the other doors costs its key."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from services.ingest.border.refusals import OverQuota
from services.ingest.keys.quotas import Quotas
from shared.web.identity import Identity

Charge = Callable[[int, int], None]


@contextmanager
def charged(quotas: Quotas, identity: Identity, size: int) -> Iterator[Charge]:
    """Begin a request of `size` bytes (0 if unknown); the yielded function charges (readings,
    further bytes). Both raise `OverQuota`, which is a `Problem` 429 or 413."""
    account = quotas.account(identity)
    excess = account.begin(size)
    if excess is not None:
        raise OverQuota(identity, account, excess, size)

    def charge(readings: int, more_bytes: int) -> None:
        excess = account.charge(readings, more_bytes)
        if excess is not None:
            raise OverQuota(identity, account, excess, size)

    try:
        yield charge
    finally:
        account.end()
