"""Checks a name and a password, slowly enough for those who guess."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from functools import cache
from typing import Protocol

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from services.ops_center.metrics import LOGINS
from services.ops_center.throttle import Throttle
from shared.errors import Overloaded

SESSION_HOURS = 12
CHECKS_AT_ONCE = 2  # each takes about 64 MiB and a core for some 50 ms
WAITING_CHECKS = 40
FREE_FAILURES_PER_ADDRESS = 50
FREE_FAILURES_PER_NAME = 30  # from wherever
KNOWN_PLACES = 20_000


@dataclass(frozen=True, slots=True)
class Account:
    """Someone who may log in. `role`: viewer, operator, dispatcher or admin, held everywhere; None:
    only some places. `must_change`: the password was given by somebody else."""

    username: str
    password_hash: str
    role: str | None
    must_change: bool = False


class TooManyAttempts(Exception):
    """Not heard; try again after `retry_after_seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__("too many failed attempts to log in")
        self.retry_after_seconds = max(1, round(seconds + 0.5))


@cache
def _of_nobody() -> str:
    """What a password for a name that there is not is compared with, which takes as long."""
    return PasswordHasher().hash("nobody has this password")


class Directory(Protocol):
    """Where accounts are found."""

    async def find(self, username: str) -> Account | None:
        """The account of a name."""
        ...


class Login:
    """Failures are counted per name and address, per address, and per name. The last does not count
    for an address from which the name has logged in before: nobody can lock another out."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._hasher = PasswordHasher()
        self._nobody = _of_nobody()
        self._waiting = 0
        self._checks = asyncio.Semaphore(CHECKS_AT_ONCE)
        self._pairs = Throttle()
        self._addresses = Throttle(FREE_FAILURES_PER_ADDRESS)
        self._names = Throttle(FREE_FAILURES_PER_NAME)
        self._known: OrderedDict[str, None] = OrderedDict()

    async def check(self, username: str, password: str, address: str, now: float) -> Account | None:
        """The account, or None: the answer and its delay are the same for a wrong password and an
        unknown name. `now`: monotonic seconds. Raises `TooManyAttempts` or `Overloaded`."""
        pair = f"{address}\n{username}"
        pause = max(self._pairs.pause(pair, now), self._addresses.pause(address, now))
        if pair not in self._known:
            pause = max(pause, self._names.pause(username, now))
        if pause > 0:
            LOGINS.labels("throttled").inc()
            raise TooManyAttempts(pause)
        self._pairs.attempt(pair, now)
        self._addresses.attempt(address, now)
        self._names.attempt(username, now)
        account = await self._directory.find(username)
        right = await self._verify(account, password)
        if account is None or not right:
            LOGINS.labels("refused").inc()
            return None
        LOGINS.labels("admitted").inc()
        self._pairs.succeeded(pair)
        self._addresses.undo(address)
        self._names.undo(username)
        self._remember(pair)
        return account

    async def matches(self, account: Account, password: str) -> bool:
        """Whether that is the password of an account, for somebody who is logged in already."""
        return await self._verify(account, password)

    async def hashed(self, password: str) -> str:
        """What the database keeps of a password."""
        async with self._checks:
            return await asyncio.to_thread(self._hasher.hash, password)

    def _remember(self, pair: str) -> None:
        self._known[pair] = None
        self._known.move_to_end(pair)
        if len(self._known) > KNOWN_PLACES:
            self._known.popitem(last=False)

    async def _verify(self, account: Account | None, password: str) -> bool:
        if self._waiting >= WAITING_CHECKS:
            raise Overloaded("too many people log in at once", 2)
        self._waiting += 1
        try:
            async with self._checks:
                return await asyncio.to_thread(self._matches, account, password)
        finally:
            self._waiting -= 1

    def _matches(self, account: Account | None, password: str) -> bool:
        hashed = self._nobody if account is None else account.password_hash
        try:
            return self._hasher.verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return False
