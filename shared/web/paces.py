"""How fast rows are given to a grant's key: whoever asks for more waits. Per process."""

import asyncio

from shared.clock import monotonic

MOST_KEYS = 10_000


class Paces:
    """Each key has a rate; its answers wait for one another."""

    def __init__(self) -> None:
        self._free_at: dict[str, float] = {}

    async def take(self, key_id: str, rows: int, rows_per_second: float) -> None:
        """Until so many rows may be given; a rate of 0: at once."""
        if not rows_per_second or not rows:
            return
        now = monotonic()
        if len(self._free_at) >= MOST_KEYS:
            self._free_at = {one: at for one, at in self._free_at.items() if at > now}
        begin = max(now, self._free_at.get(key_id, now))
        self._free_at[key_id] = begin + rows / rows_per_second
        await asyncio.sleep(self._free_at[key_id] - now)
