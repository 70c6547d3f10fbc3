"""Interpreters that `multiprocess` starts and the supervisor waits for."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from launcher_support import is_there, open_descriptors
from multiprocess import resource_tracker, util

from supervisor.launcher.known_children import KnownChildren, direct_children
from supervisor.launcher.multiprocessing_spawn import Spawned
from tests.patience import PATIENCE_SECONDS

ROOT = Path(__file__).parents[3]
INTERRUPTED = """
import os, time
from multiprocess import process
from supervisor.launcher.multiprocessing_spawn import Spawned

class Interrupting(set):
    interrupted = False

    def discard(self, started):
        if self.interrupted:
            return super().discard(started)
        self.interrupted = True
        print(started.pid, flush=True)
        raise KeyboardInterrupt

process._children = Interrupting()
Spawned(time.sleep, (100,), "test", dict(os.environ))
"""


def test_no_process_but_the_one_that_is_wanted_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        resource_tracker.ResourceTracker, "ensure_running", lambda _: pytest.fail("a tracker is started")
    )
    getfd, before = resource_tracker.getfd, direct_children()
    spawned = Spawned(os._exit, (0,), "test", dict(os.environ))
    assert direct_children() - before == {spawned.pid}
    os.waitpid(spawned.pid, 0)
    spawned.forget()
    assert resource_tracker.getfd == getfd


def test_a_start_that_is_interrupted_keeps_no_program_from_ending() -> None:
    """`multiprocess` waits at the end of a program for what it has started, unless that is a daemon to it."""
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert "KeyboardInterrupt" in done.stderr
    assert not os.path.exists(f"/proc/{int(done.stdout)}")


ENVIRONMENT = dict(os.environ)


def test_a_process_that_was_waited_for_elsewhere_leaves_no_descriptor_and_can_be_forgotten() -> None:
    before = open_descriptors()
    spawned = Spawned(os._exit, (7,), "test", ENVIRONMENT)
    assert open_descriptors() != before
    _, status = os.waitpid(spawned.pid, 0)
    assert os.waitstatus_to_exitcode(status) == 7  # nobody else has waited for it
    spawned.forget()
    assert open_descriptors() == before


def test_what_is_taken_back_is_dead_waited_for_and_known_no_more() -> None:
    before = open_descriptors()
    spawned = Spawned(time.sleep, (600,), "test", ENVIRONMENT)
    known_children = KnownChildren()
    known_children.add(spawned.pid)
    spawned.take_back(known_children)
    assert not is_there(spawned.pid)
    assert known_children.unknown({spawned.pid}) == {spawned.pid}
    assert open_descriptors() == before


def test_multiprocess_does_not_wait_for_what_the_supervisor_waits_for() -> None:
    """It does so at each start of another: the usage would be lost, and the end not noticed."""
    first = Spawned(os._exit, (3,), "test", ENVIRONMENT)
    os.waitid(os.P_PID, first.pid, os.WEXITED | os.WNOWAIT)
    second = Spawned(os._exit, (4,), "test", ENVIRONMENT)
    codes = [os.waitstatus_to_exitcode(os.waitpid(one.pid, 0)[1]) for one in (first, second)]
    assert codes == [3, 4]
    for one in (first, second):
        one.forget()


def test_a_start_that_fails_leaves_no_descriptor_even_while_its_error_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refused(*_: object) -> None:
        raise BlockingIOError("no process left")

    monkeypatch.setattr(util, "spawnv_passfds", refused)
    before, environment = open_descriptors(), dict(os.environ)
    with pytest.raises(BlockingIOError) as caught:
        Spawned(time.sleep, (600,), "test", ENVIRONMENT | {"x": "y"})
    assert caught.value is not None
    assert open_descriptors() == before
    assert dict(os.environ) == environment
