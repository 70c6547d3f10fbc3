"""What the kernel tells of a child: its state, where it waits, and whether it would hear a signal."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jobrunner.protocol.linux import DUMP_SIGNAL
from jobrunner.protocol.masking import Mask
from supervisor.watch import kernel as kernel_module
from supervisor.watch.kernel import is_runnable, is_stopped, look_into_kernel
from tests.patience import wait_until

WAITS = """
import signal, sys, time
if len(sys.argv) > 1:
    signal.pthread_sigmask(signal.SIG_BLOCK, [int(sys.argv[1])])
print("ready", flush=True)
time.sleep(600)
"""


@pytest.fixture
def start() -> Iterator[Callable[..., int]]:
    """Starts a process that sleeps, and blocks a signal if one is named."""
    processes: list[subprocess.Popen[bytes]] = []

    def starting(*arguments: str) -> int:
        command = [sys.executable, "-I", "-S", "-c", WAITS, *arguments]
        processes.append(subprocess.Popen(command, stdout=subprocess.PIPE))
        assert processes[-1].stdout is not None
        assert processes[-1].stdout.readline() == b"ready\n"
        return processes[-1].pid

    yield starting
    for process in processes:
        process.kill()
        process.communicate()


def test_a_process_that_sleeps_is_not_stopped_until_it_is(start: Callable[..., int]) -> None:
    pid = start()
    assert not is_stopped(pid)
    os.kill(pid, signal.SIGSTOP)
    os.waitid(os.P_PID, pid, os.WSTOPPED | os.WNOWAIT)
    assert is_stopped(pid)
    assert look_into_kernel(pid, Mask()).state == "T"


def test_a_process_that_computes_is_told_from_one_that_sleeps(start: Callable[..., int]) -> None:
    pid = start()
    wait_until(lambda: not is_runnable(pid))
    with subprocess.Popen([sys.executable, "-I", "-S", "-c", "while True: pass"]) as busy:
        wait_until(lambda: is_runnable(busy.pid))
        busy.kill()


@pytest.mark.parametrize(
    ("number", "deaf"), [(DUMP_SIGNAL, True), (DUMP_SIGNAL - 1, False), (DUMP_SIGNAL + 1, False)]
)
def test_a_process_is_deaf_when_it_blocks_the_signal_that_asks_for_its_stack(
    start: Callable[..., int], number: int, deaf: bool
) -> None:
    assert look_into_kernel(start(str(int(number))), Mask()).deaf is deaf


def test_of_a_process_that_is_gone_nothing_is_told() -> None:
    gone = 4_194_303
    view = look_into_kernel(gone, Mask())
    assert (view.state, view.wchan, view.syscall, view.stack, view.deaf) == ("", "", "", "", False)
    assert not is_stopped(gone)


FRAMES = "".join(f"[<0>] frame_{number}\n" for number in range(12))
INDENTED = "\n".join(f"  [<0>] frame_{number}" for number in range(8))


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"wchan": "do_nanosleep", "syscall": "230 0x0 0x1\n"}, ("do_nanosleep", "230", "")),
        ({"wchan": "0", "syscall": "running\n"}, ("", "", "")),
        ({"wchan": "", "syscall": "-1 0x7f 0x55\n"}, ("", "", "")),
        ({"wchan": "x" * 100}, ("x" * 64, "", "")),
        ({"stack": FRAMES}, ("", "", INDENTED)),
    ],
)
def test_words_that_say_nothing_are_nothing_and_what_is_long_is_cut(
    monkeypatch: pytest.MonkeyPatch, files: dict[str, str], expected: tuple[str, str, str]
) -> None:
    def read(path: Path, **_: Any) -> str:
        if path.name not in files:
            raise PermissionError
        return files[path.name]

    monkeypatch.setattr(kernel_module.Path, "read_text", read)
    view = look_into_kernel(os.getpid(), Mask())
    assert (view.wchan, view.syscall, view.stack) == expected
