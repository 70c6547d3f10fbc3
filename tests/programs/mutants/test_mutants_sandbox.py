"""A run of tests leaves nothing behind, whatever the mutant did."""

import os
import time
from pathlib import Path

import pytest

from tests.programs.mutants import sandbox


def leave_processes(path: Path) -> None:
    for _ in range(2):
        if os.fork() == 0:
            os.setsid()
            if os.fork() != 0:
                os._exit(0)
            descriptor = os.open(path, os.O_WRONLY)
            for _ in range(600):
                os.write(descriptor, b"x")
                time.sleep(0.05)
            os._exit(0)
    time.sleep(0.2)


@pytest.mark.parametrize("namespaces", [True, False], ids=["namespaces", "no namespaces"])
def test_nothing_that_a_run_started_is_alive_when_it_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, namespaces: bool
) -> None:
    if not namespaces:
        monkeypatch.setattr(sandbox, "_CLONES", 1 << 40 | 1)  # no such flag: the kernel refuses
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    assert sandbox.run_confined(lambda: leave_processes(pipe), 30)
    while os.read(reader, 65536):  # it ends once the last writer has, and would be refused while one lives
        pass
    os.close(reader)


def test_a_run_that_does_not_end_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)

    def work() -> None:
        leave_processes(pipe)
        time.sleep(600)

    assert not sandbox.run_confined(work, 2)
    while os.read(reader, 65536):
        pass
    os.close(reader)


def test_a_process_of_any_name_is_ended_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "_CLONES", 1 << 40 | 1)  # as above

    def with_an_odd_name() -> None:
        Path("/proc/self/comm").write_bytes(b") Z 1 (\xff")
        leave_processes(pipe)

    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    assert sandbox.run_confined(with_an_odd_name, 30)
    while os.read(reader, 65536):
        pass
    os.close(reader)
