"""What the supervisor leaves to its keeper is what it has said last, also across the fork that parts the two."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from supervisor.process import kept
from tests.patience import wait_until

# Python 3.12 and newer warn of a fork where there are threads, such as those of whoever spreads tests over processes.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")

MANY = [Path(f"/sys/fs/cgroup/neops/{number}") for number in range(100)]


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(kept, "_cgroups", None)
    monkeypatch.setattr(kept, "_keeper", None)
    kept.share()
    yield
    assert kept._cgroups is not None
    os.close(kept._cgroups)


def test_without_a_keeper_nothing_is_left_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "_cgroups", None)
    kept.leave_to_keeper(MANY)
    assert kept.left_to_keeper() == []


@pytest.mark.usefixtures("shared")
def test_the_keeper_sees_what_was_said_last_and_nothing_of_before() -> None:
    odd = [Path(os.fsdecode(b"/odd\xff")), Path("/with space\n")]
    assert kept.left_to_keeper() == []
    for said in (MANY, odd, [], odd):
        child = os.fork()
        if child == 0:
            kept.leave_to_keeper(said)
            os._exit(0)
        wait_until(lambda child=child: os.waitpid(child, os.WNOHANG)[0] == child)
        assert kept.left_to_keeper() == said


@pytest.mark.usefixtures("shared")
def test_a_process_knows_its_keeper_and_what_it_starts_does_not_get_its_memory() -> None:
    assert kept.keeper_pid() is None
    kept.be_kept_by(4711)
    assert kept.keeper_pid() == 4711
    assert kept._cgroups is not None
    assert not os.get_inheritable(kept._cgroups)
