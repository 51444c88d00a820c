"""The rules in force: taken in from files, followed through the database, told to who judges."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from services.alerts.rules import files
from services.alerts.rules.files import RuleError
from services.alerts.rules.repository import Repository
from services.alerts.rules.rule import Rule
from services.alerts.rules.versions import Standing, overridden

_log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0  # an edit in another process is in force after this at the latest

Heard = Callable[[Sequence[Rule]], None]


class Rules:
    """`current`: the rules in force; `errors`: what was refused; `edited`: set it after an edit,
    and this process need not wait for its next look."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._change = 0
        self._listeners: list[Heard] = []
        self._file_errors: list[RuleError] = []
        self._stored_errors: list[RuleError] = []
        self.current: tuple[Rule, ...] = ()
        self.edited = asyncio.Event()

    @property
    def errors(self) -> list[RuleError]:
        """What was refused: in the files at the start, and of what is stored."""
        return self._file_errors + self._stored_errors

    def listen(self, heard: Heard) -> None:
        """Call `heard` with all rules whenever they have changed."""
        self._listeners.append(heard)

    async def take_in(self, folder: Path) -> None:
        """The files of a folder, and whatever is in force besides. Raises `Unavailable`."""
        found, self._file_errors = files.find(folder, await self._repository.metrics())
        for error in self._file_errors:
            _log.error("rule refused: %s:%d: %s", error.file, error.line, error.detail)
        for made in await self._repository.take_in(found, self._file_errors):
            what = "retired" if made.retired else "taken in"
            _log.info("rule %s: %s from %s as version %d", made.rule_id, what, made.file,
                      made.version)  # fmt: skip
        for rule_id, known in (await self.load()).items():
            file, current = overridden(known), known.current
            if file:
                _log.warning(
                    "rule %s: version %d of %s counts until %s changes",
                    rule_id, current.version, current.author, file,
                )  # fmt: skip

    async def load(self) -> dict[str, Standing]:
        """Look at what is stored, and tell the listeners if it has changed."""
        change = await self._repository.newest()
        standing = await self._repository.standing()
        self.current, self._stored_errors = in_force(standing)
        self._change = change
        for heard in self._listeners:
            heard(self.current)
        return standing

    async def follow(self, stop: asyncio.Event) -> None:
        """Load what changes, until `stop`. Raises `Unavailable`."""
        while not stop.is_set():
            if await self._repository.newest() != self._change:
                await self.load()
                _log.info("rules: %d in force after change %d", len(self.current), self._change)
            with suppress(TimeoutError):
                await asyncio.wait_for(self.edited.wait(), LOOK_SECONDS)
            self.edited.clear()


def in_force(standing: Mapping[str, Standing]) -> tuple[tuple[Rule, ...], list[RuleError]]:
    """The rules that are not retired (the enabled ones and the others), and what is wrong."""
    rules: list[Rule] = []
    errors: list[RuleError] = []
    for rule_id, known in standing.items():
        if known.current.retired:
            continue
        try:
            rules.append(known.current.rule())
        except ValidationError as error:  # it was right in an earlier version of the language
            detail = f"{rule_id}: {error.errors()[0]['msg']}"
            errors.append(RuleError(f"version {known.current.version}", 1, detail))
    return tuple(rules), errors
