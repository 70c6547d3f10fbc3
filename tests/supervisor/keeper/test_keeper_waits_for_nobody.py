"""A keeper and its supervisor in front of a terminal that stops programs, a log that nobody reads, and a thread that
the kernel does not let go: what was asked to end ends."""

import contextlib
import os
import pty
import select
import signal
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from supervisor.keeper import LAST_SECONDS
from tests.patience import PATIENCE_SECONDS, wait_until
from tests.supervisor.keeper.test_keeper_keeps import ROOT, ended, is_alive, line_of, program_of, started

STUCK = """import ctypes, threading
sleeper = subprocess.Popen(["sleep", "600"], start_new_session=True)
print(os.getpid(), sleeper.pid, flush=True)
threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
ctypes.CDLL(None).syscall({exit_number}, 7)"""
"""The main thread ends alone (exit(2), not exit_group(2)): /proc shows what it does of a process of which one thread
waits in state D, and can't be ended."""
EXIT_NUMBERS = {"x86_64": 60, "aarch64": 93}


def test_a_terminal_that_stops_programs_in_the_background_stops_neither_of_the_two() -> None:
    body = """import termios
attributes = termios.tcgetattr(2)
attributes[3] |= termios.TOSTOP
termios.tcsetattr(2, termios.TCSANOW, attributes)
os.write(2, b"written\\\\n")
os.kill(os.getpid(), signal.SIGTSTP)
os.kill(os.getppid(), signal.SIGTSTP)
os.write(2, b"still there\\\\n")
return 0"""
    pid, master = pty.fork()
    if pid == 0:
        with contextlib.suppress(BaseException):
            os.environ["PYTHONPATH"] = str(ROOT)
            program = program_of(body).replace("\\\\n", "\\n")
            os.execv(sys.executable, [sys.executable, "-c", program])
        os._exit(99)
    try:
        text = b""
        while b"still there" not in text:
            assert select.select([master], [], [], PATIENCE_SECONDS)[0], f"only this came: {text!r}"
            text += os.read(master, 4096)
        assert b"written" in text
        assert termios.tcgetattr(master)[3] & termios.TOSTOP
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        os.close(master)


def test_a_child_gets_the_actions_back_that_its_supervisor_ignores() -> None:
    program = """
import signal
from jobrunner.bootstrap import reset_signals
from supervisor.keeper import ignore_terminal
ignore_terminal()
reset_signals()
print([signal.getsignal(n) == signal.SIG_DFL for n in (signal.SIGTTOU, signal.SIGTTIN, signal.SIGTSTP)])
"""
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert said.stdout == "[True, True, True]\n"


def test_the_third_signal_ends_a_supervisor_that_hears_none() -> None:
    body = """for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, signal.SIG_IGN)
sleeper = subprocess.Popen(["sleep", "600"], start_new_session=True)
print(os.getpid(), sleeper.pid, flush=True)
time.sleep(600)"""
    with started(body) as program:
        supervisor, sleeper = line_of(program)
        for _ in range(3):
            program.send_signal(signal.SIGTERM)
            wait_until(lambda: not is_pending(program.pid, signal.SIGTERM), "the keeper has heard it")
        _, errors = program.communicate(timeout=PATIENCE_SECONDS)
        assert program.returncode == 128 + signal.SIGKILL
        assert "ended by SIGKILL; 1 process(es) of it were killed" in errors
        assert not is_alive(supervisor)
        assert not is_alive(sleeper)


def test_two_signals_kill_nothing_that_is_about_to_end_by_itself() -> None:
    body = """import threading
heard = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: heard.set())
print(os.getpid(), flush=True)
heard.wait()
time.sleep(4)
return 5"""
    with started(body) as program:
        line_of(program)
        for _ in range(2):
            program.send_signal(signal.SIGTERM)
            wait_until(lambda: not is_pending(program.pid, signal.SIGTERM), "the keeper has heard it")
        program.communicate(timeout=PATIENCE_SECONDS)
        assert program.returncode == 5


def test_a_supervisor_that_the_kernel_keeps_is_left_with_its_code_and_what_it_started_is_killed() -> None:
    body = STUCK.format(exit_number=EXIT_NUMBERS[os.uname().machine])
    with started(body) as program:
        supervisor, sleeper = line_of(program)
        try:
            program.send_signal(signal.SIGCHLD)  # have it look now, not at its next look
            _, errors = program.communicate(timeout=PATIENCE_SECONDS)
            assert program.returncode == 7
            assert f"the kernel keeps its process {supervisor} until a disk answers" in errors
            assert not is_alive(sleeper)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(supervisor, signal.SIGKILL)


LOOKED_AT = """os.kill(os.getppid(), signal.SIGCHLD)  # have it look now, not at its next look
time.sleep({seconds})
{after}
return 5"""
"""Goes on for longer than a supervisor that is taken for dead has."""
NO_DESCRIPTORS = """import resource
_, hard = resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE)
resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE, (0, hard))
"""
DESCRIPTORS_AGAIN = "resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE, (hard, hard))"
HIDES_PROCESSES = """from jobrunner.protocol import linux
linux.forbid_inspection()
"""


def test_a_keeper_that_has_no_descriptor_to_look_with_takes_no_running_supervisor_for_dead() -> None:
    body = NO_DESCRIPTORS + LOOKED_AT.format(seconds=LAST_SECONDS + 1, after=DESCRIPTORS_AGAIN)
    assert ended(body) == (5, "", "")


def test_a_keeper_from_which_proc_hides_its_supervisor_does_not_take_it_for_dead() -> None:
    # As for a worker that is not root: `hidepid` hides a process that may not be inspected from who has neither
    # CAP_SYS_PTRACE nor the group that is exempt from it (root's, unless another is named).
    hiding = (
        "unshare", "--mount", "sh", "-c", 'mount -t proc -o hidepid=2,gid=65534 proc /proc && exec "$@"', "sh",
        "setpriv", "--bounding-set=-sys_ptrace", "--inh-caps=-sys_ptrace",
    )  # fmt: skip
    if subprocess.run([*hiding, "true"], capture_output=True).returncode:
        pytest.skip("/proc can't be mounted here with hidepid")
    body = HIDES_PROCESSES + LOOKED_AT.format(seconds=LAST_SECONDS + 1, after="")
    assert ended(body, *hiding) == (5, "", "")


def is_pending(pid: int, number: signal.Signals) -> bool:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    pending = next(line.split()[1] for line in lines if line.startswith("ShdPnd"))
    return bool(int(pending, 16) >> (number - 1) & 1)
