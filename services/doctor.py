"""`python -m services doctor`: what is wrong with this installation, and how to mend it.

Exit code 0: nothing is bad; 1: something is.
"""

import json
import logging
import os
from collections.abc import Callable, Iterator

from pydantic import ValidationError

from services import symptoms
from services.symptoms import Finding, State
from shared.clock import system_clock
from shared.settings import PREFIX, Settings

MARKS = {State.OK: "✓", State.DOUBT: "!", State.BAD: "✗"}


def examine(settings: Settings) -> Iterator[Finding]:
    """Every look in turn; one that breaks is a finding itself."""
    looks: tuple[Callable[[], Iterator[Finding]], ...] = (
        unknown_settings,
        lambda: symptoms.disk(settings),
        lambda: symptoms.credentials(settings),
        lambda: symptoms.port(settings),
        lambda: symptoms.certificate(settings, system_clock),
        lambda: symptoms.rules(settings),
        symptoms.wall,
        lambda: symptoms.database(settings, system_clock),
        lambda: symptoms.event_log(settings),
    )
    for look in looks:
        try:
            yield from look()
        except Exception as error:  # the other looks must still be told
            said = f"could not be looked at: {type(error).__name__}: {error}"
            yield Finding("doctor", State.BAD, said, "tell us: this is a fault of ours")


def run(*, as_json: bool) -> int:
    """Print every finding; the exit code."""
    logging.disable()  # libraries that fail say so; here that is a finding
    try:
        findings = list(examine(Settings()))
    except ValueError as error:
        findings = list(wrong_settings(error))
    for one in findings:
        print(json.dumps(vars(one), ensure_ascii=False) if as_json else line(one), flush=True)
    return int(any(one.state is State.BAD for one in findings))


def line(one: Finding) -> str:
    """For a person."""
    told = f"{MARKS[one.state]} {one.what:16} {one.said}"
    return f"{told}\n{'':18} → {one.mend}" if one.mend else told


def wrong_settings(error: ValueError) -> Iterator[Finding]:
    """Settings that cannot be read."""
    mend = "correct it; README.md lists every setting with its meaning"
    if not isinstance(error, ValidationError):
        yield Finding("settings", State.BAD, str(error), mend)
        return
    for one in error.errors():
        name = PREFIX + "_".join(str(part) for part in one["loc"]).upper()
        yield Finding("settings", State.BAD, f"{name}: {one['msg']}", mend)


def unknown_settings() -> Iterator[Finding]:
    """A name that nobody reads is a misspelt one."""
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    given = [name for name in os.environ if name.startswith(PREFIX)]
    strange = [
        name for name in given if name not in known and name.removesuffix("_FILE") not in known
    ]
    ours = tuple(
        f"{PREFIX}{word}" for word in ("TEST_", "FRONT_", "GATEWAY", "ALERTS", "OPS_CENTER")
    )
    for name in sorted(name for name in strange if not name.startswith(ours)):
        yield Finding(
            "settings", State.DOUBT, f"nobody reads {name}", "is it misspelt? see README.md"
        )
    yield Finding("settings", State.OK, f"{len(given) - len(strange)} set, all others by default")
