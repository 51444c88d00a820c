"""What keeps the services of `make city` running, on small real processes."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.process import end, sole
from deploy.local.supervisor import STEADY_SECONDS, Supervisor
from shared.clock import monotonic
from shared.errors import Misconfigured
from tests.waiting import until

WAITS = [sys.executable, "-c", "import signal; print('up', flush=True); signal.pause()"]
IGNORES = [
    sys.executable,
    "-c",
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True)\n"
    "while True: signal.pause()",
]


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    supervisor = Supervisor(tmp_path)
    yield supervisor
    supervisor.stop(1)


def begin(supervisor: Supervisor, name: str, command: list[str], folder: Path) -> None:
    supervisor.start(name, command, folder, os.environ)
    assert until(lambda: "up" in supervisor.log(name).read_text(), 10)


def kill(supervisor: Supervisor, name: str) -> None:
    os.kill(supervisor.children[name].process.pid, signal.SIGKILL)
    assert until(lambda: not supervisor.runs(name), 5)


def test_a_dead_process_is_started_again_after_a_growing_pause(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    begin(supervisor, "one", WAITS, tmp_path)
    now = supervisor.children["one"].started
    for pause in (0.5, 1.0, 2.0, 5.0, 10.0, 10.0):
        kill(supervisor, "one")
        supervisor.mend(now)
        supervisor.mend(now + pause - 0.01)
        assert not supervisor.runs("one")
        now += pause
        supervisor.mend(now)
        assert supervisor.runs("one")


def test_one_that_ran_long_is_started_again_soon(supervisor: Supervisor, tmp_path: Path) -> None:
    begin(supervisor, "one", WAITS, tmp_path)
    supervisor.children["one"].failures = 5
    later = supervisor.children["one"].started + STEADY_SECONDS + 1
    kill(supervisor, "one")
    supervisor.mend(later)
    supervisor.mend(later + 0.5)
    assert supervisor.runs("one")


def test_the_pause_of_one_does_not_hold_up_another(supervisor: Supervisor, tmp_path: Path) -> None:
    begin(supervisor, "one", WAITS, tmp_path)
    begin(supervisor, "two", WAITS, tmp_path)
    supervisor.children["one"].failures = 5
    kill(supervisor, "one")
    kill(supervisor, "two")
    now = supervisor.children["two"].started
    supervisor.mend(now)
    supervisor.mend(now + 0.5)
    assert supervisor.runs("two")
    assert not supervisor.runs("one")


def test_all_are_ended_within_one_deadline_also_those_that_refuse(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    for name in ("one", "two", "three"):
        begin(supervisor, name, IGNORES, tmp_path)
    begun = monotonic()
    supervisor.stop(1.0)
    assert monotonic() - begun < 2.5
    assert not any(supervisor.runs(name) for name in ("one", "two", "three"))


def test_what_a_killed_supervisor_left_running_is_ended_by_the_next(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    begin(supervisor, "one", WAITS, tmp_path)
    begin(supervisor, "two", WAITS, tmp_path)
    Supervisor(tmp_path).end_orphans()
    assert not supervisor.runs("one")
    assert not supervisor.runs("two")


def test_a_second_one_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    lock = tmp_path / "city.lock"
    with sole(lock), pytest.raises(Misconfigured, match="already runs"), sole(lock, "already runs"):
        pass
    with sole(lock, "already runs"):
        pass


def test_ending_what_has_ended_does_nothing(supervisor: Supervisor, tmp_path: Path) -> None:
    begin(supervisor, "one", WAITS, tmp_path)
    process = supervisor.children["one"].process
    kill(supervisor, "one")
    end({process: signal.SIGTERM}, 1)
