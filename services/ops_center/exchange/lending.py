"""What a grant's key may order, and how fast it is given: its datasets, its time, its pace."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from services.ops_center.exchange.order import ExportIn
from services.ops_center.exchange.spool import Ready
from shared.disclosure.clearance import Clearance
from shared.web.disclosing import not_granted
from shared.web.paces import Paces


def narrowed(asked: ExportIn, clearance: Clearance) -> ExportIn:
    """An order without the time that was not lent; areas, metrics and fields are left out where the
    parts are made. `Problem` 403: nothing is left."""
    if clearance.datasets is None:
        return asked
    if asked.dataset not in clearance.datasets:
        raise not_granted(f"the dataset '{asked.dataset}'")
    if asked.start is None:  # sensors have no time; a cursor's parts are confined one by one
        return asked
    start, end = clearance.confined(asked.start, asked.end)
    if start is not None and end is not None and start >= end:
        raise not_granted("this time")
    return asked.model_copy(update={"start": start, "end": end})


async def paced(
    parts: AsyncGenerator[bytes, None], ready: Ready, paces: Paces, key_id: str, rate: float
) -> AsyncGenerator[bytes, None]:
    """A part's bytes, as fast as its rows may be given (per second). A piece of bytes stands for as
    many rows as it is of the whole."""
    async with aclosing(parts):
        async for piece in parts:
            rows = round(ready.rows * len(piece) / max(ready.size, 1))
            await paces.take(key_id, max(rows, 1), rate)
            yield piece
