"""Whether a process has slept since the last look: told by what the kernel counts, for each of its threads."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from jobrunner.protocol import kernel_files
from supervisor.process.proc import read_stat
from supervisor.process.sleep import MainThreadSleep, ProcessSleep
from tests.patience import wait_until

LONG = 1000.0
ECHOING = "import os\nwhile (data := os.read(0, 1)): os.write(1, data)"
IN_A_THREAD = f"import threading\nthreading.Thread(target=lambda: exec({ECHOING!r})).start()"


class Echo:
    """A process that sleeps until it gets a byte, and sends it back."""

    def __init__(self, code: str) -> None:
        command = [sys.executable, "-I", "-S", "-c", code]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.pid = self._process.pid
        self.run()

    def run(self) -> None:
        assert self._process.stdin
        assert self._process.stdout
        os.write(self._process.stdin.fileno(), b"x")
        assert os.read(self._process.stdout.fileno(), 1) == b"x"

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture(params=[ECHOING, IN_A_THREAD], ids=["its first thread", "another thread"])
def echo(request: pytest.FixtureRequest) -> Iterator[Echo]:
    echo = Echo(request.param)
    yield echo
    echo.close()


@pytest.fixture
def main_echo() -> Iterator[Echo]:
    echo = Echo(ECHOING)
    yield echo
    echo.close()


def fall_asleep(sleep: ProcessSleep) -> None:
    def asleep() -> bool:
        sleep.begin()
        return sleep.lasts(LONG)

    wait_until(asleep, "it sleeps between two looks")


def test_a_process_of_which_no_thread_runs_sleeps_until_one_does(echo: Echo) -> None:
    sleep = ProcessSleep(echo.pid)
    assert not sleep.lasts(LONG)
    fall_asleep(sleep)
    assert sleep.lasts(LONG)
    echo.run()
    assert not sleep.lasts(LONG)
    fall_asleep(sleep)
    assert not sleep.lasts(0.0)
    sleep.end()
    assert not sleep.lasts(LONG)


def test_a_process_that_has_ended_does_not_sleep(echo: Echo) -> None:
    sleep = ProcessSleep(echo.pid)
    fall_asleep(sleep)
    echo.close()
    assert not sleep.lasts(LONG)
    sleep.begin()
    assert not sleep.lasts(LONG)


def test_where_the_kernel_counts_nothing_nobody_is_taken_for_asleep(
    echo: Echo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernel_files, "read", lambda _: b"0 0 0\n")
    sleep = ProcessSleep(echo.pid)
    sleep.begin()
    assert not sleep.lasts(LONG)


def test_a_first_thread_sleeps_for_as_long_as_it_has_not_run(main_echo: Echo) -> None:
    sleep = MainThreadSleep(main_echo.pid)
    wait_until(lambda: b"State:\tS" in kernel_files.read(f"/proc/{main_echo.pid}/status"), "it sleeps")
    assert sleep.lasts()
    assert sleep.lasts()
    main_echo.run()
    wait_until(lambda: b"State:\tS" in kernel_files.read(f"/proc/{main_echo.pid}/status"), "it sleeps")
    assert not sleep.lasts(), "it has run"
    assert sleep.lasts()
    main_echo.run()
    sleep.begin()
    wait_until(sleep.lasts, "it sleeps anew")


def test_a_first_thread_that_is_stopped_does_not_sleep(main_echo: Echo) -> None:
    sleep = MainThreadSleep(main_echo.pid)
    os.kill(main_echo.pid, signal.SIGSTOP)
    wait_until(lambda: (stat := read_stat(main_echo.pid)) is not None and stat.state == "T", "it is stopped")
    assert not sleep.lasts()
    assert not sleep.lasts()


def test_a_first_thread_that_is_gone_does_not_sleep() -> None:
    assert not MainThreadSleep(0).lasts()
