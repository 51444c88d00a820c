"""Reads a stretch of `city.readings` again, beside the group that follows it."""

from typing import Protocol

from shared.contracts.topics import READINGS
from shared.eventlog.log import EventLog
from shared.eventlog.stretch import Take, replay


class Past(Protocol):
    """Who can tell what was."""

    async def replay(self, partition: int, first: int, following: int, take: Take) -> None:
        """Give the records from `first` to the one before `following` to `take`, in order."""
        ...


class LoggedPast:
    """`Past` on the log itself."""

    def __init__(self, log: EventLog, topic: str = READINGS) -> None:
        self._log = log
        self._topic = topic

    async def replay(self, partition: int, first: int, following: int, take: Take) -> None:
        """See `Past.replay`. What the log has dropped is missing. Raises `Unavailable`."""
        await replay(self._log, self._topic, partition, first, following, take)
