"""A keeper around a small program instead of a supervisor: codes, signals, and what is left when it ends."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.patience import PATIENCE_SECONDS, wait_until

ROOT = Path(__file__).parents[3]
PROGRAM = """
import os, signal, subprocess, sys, time
from supervisor import keeper
from supervisor.process import kept

def run():
    {body}

sys.exit(keeper.keep(run{keeping}))
"""


def program_of(body: str, keeping: str = "") -> str:
    return PROGRAM.format(body=body.replace("\n", "\n    "), keeping=keeping and f", {keeping}")


@contextlib.contextmanager
def started(
    body: str, *before: str, keeping: str = "", **variables: str
) -> Iterator["subprocess.Popen[str]"]:
    """Run a program whose `run` has this body, in a session of its own, by the command `before` if there is one.

    `keeping` is what `keep` is given besides.
    """
    command = [*before, sys.executable, "-c", program_of(body, keeping)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | variables
    with subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as program:
        try:
            yield program
        finally:
            program.kill()


def ended(body: str, *before: str) -> tuple[int, str, str]:
    """Return exit code, output and errors of a program that ends by itself."""
    with started(body, *before) as program:
        out, errors = program.communicate(timeout=PATIENCE_SECONDS)
        return program.returncode, out, errors


def line_of(program: "subprocess.Popen[str]") -> list[int]:
    assert program.stdout is not None
    return [int(word) for word in program.stdout.readline().split()]


def is_alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


@pytest.mark.parametrize("code", [0, 7])
def test_the_exit_code_is_passed_on(code: int) -> None:
    assert ended(f"return {code}") == (code, "", "")


@pytest.mark.parametrize(("number", "name"), [(signal.SIGSEGV, "SIGSEGV"), (40, "SIGRTMIN+6")])
def test_a_supervisor_that_was_killed_is_told_and_its_signal_is_the_code(number: int, name: str) -> None:
    code, _, errors = ended(f"os.kill(os.getpid(), {number:d})")
    assert code == 128 + number
    assert errors == f"supervisor: the worker was ended by {name}; 0 process(es) of it were killed.\n"


def test_the_supervisor_has_a_process_group_of_its_own_and_knows_its_keeper() -> None:
    with started("print(os.getpid(), os.getpgid(0), kept.keeper_pid(), flush=True)\nreturn 0") as program:
        pid, group, keeper_pid = line_of(program)
        assert (group, keeper_pid) == (pid, program.pid)


def test_what_a_killed_supervisor_leaves_is_killed_and_counted() -> None:
    body = """sleeper = subprocess.Popen(["sleep", "600"], start_new_session=True)
print(sleeper.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)"""
    with started(body) as program:
        (sleeper,) = line_of(program)
        _, errors = program.communicate(timeout=PATIENCE_SECONDS)
        assert not is_alive(sleeper)
        assert program.returncode == 128 + signal.SIGKILL
        assert "ended by SIGKILL; 1 process(es) of it were killed" in errors


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_before_the_start_is_said_and_is_no_failure(number: signal.Signals) -> None:
    # In pieces: a signal that comes between Python's look for one and a sleep's begin is seen after that sleep.
    with started("print(os.getpid(), flush=True)\nwhile True: time.sleep(0.05)") as program:
        line_of(program)
        program.send_signal(number)
        _, errors = program.communicate(timeout=PATIENCE_SECONDS)
        assert program.returncode == 0
        assert errors == f"supervisor: stopped by {number.name} before it had started.\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_what_has_an_answer_to_give_fails_when_it_is_ended_before_it_has_given_one(
    number: signal.Signals,
) -> None:
    keeping = 'program="supervisor doctor", runs_until_stopped=False'
    body = "print(os.getpid(), flush=True)\nwhile True: time.sleep(0.05)"
    with started(body, keeping=keeping) as program:
        line_of(program)
        program.send_signal(number)
        _, errors = program.communicate(timeout=PATIENCE_SECONDS)
        assert program.returncode == 128 + number
        assert errors == f"supervisor doctor: ended by {number.name}.\n"


def test_a_hangup_before_the_start_changes_nothing() -> None:
    body = """print(os.getpid(), flush=True)
sys.stdin.readline()
return 5"""
    command = [sys.executable, "-c", program_of(body)]
    with subprocess.Popen(
        command,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as program:
        try:
            (supervisor,) = line_of(program)
            os.kill(supervisor, signal.SIGHUP)
            program.send_signal(signal.SIGHUP)
            assert program.stdin is not None
            program.stdin.write("go on\n")
            program.stdin.flush()
            assert program.wait(PATIENCE_SECONDS) == 5
        finally:
            program.kill()


def test_a_supervisor_whose_keeper_is_killed_is_told_by_a_signal() -> None:
    body = """from jobrunner.protocol import linux
signal.pthread_sigmask(signal.SIG_BLOCK, {linux.KEEPER_LOST_SIGNAL})
print(os.getpid(), flush=True)
signal.sigwait({linux.KEEPER_LOST_SIGNAL})
os._exit(0)"""
    with started(body) as program:
        (supervisor,) = line_of(program)
        try:
            program.kill()
            wait_until(lambda: not is_alive(supervisor), "the supervisor has noticed")
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(supervisor, signal.SIGKILL)


def test_the_keeper_has_a_name_of_its_own_for_those_who_look() -> None:
    with started("print(os.getpid(), flush=True)\ntime.sleep(600)") as program:
        line_of(program)
        name = Path(f"/proc/{program.pid}/comm")
        wait_until(lambda: name.read_text() == "neops-keeper\n", "it has its name")


def test_what_the_supervisor_says_to_systemd_comes_at_once_in_its_order_and_by_the_keeper(
    tmp_path: Path,
) -> None:
    body = """print("NOTIFY_SOCKET" in os.environ, flush=True)
for message in (b"READY=1", b"MAINPID=1", b"WATCHDOG=1"):
    kept.sender().send(message)
    time.sleep(0.2)
kept.sender().send(b"STOPPING=1")
return 3"""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(PATIENCE_SECONDS)
        with started(body, NOTIFY_SOCKET=systemd.getsockname()) as program:
            assert program.stdout is not None
            assert program.stdout.readline() == "False\n"
            for expected in (b"READY=1", b"WATCHDOG=1", b"STOPPING=1"):
                message, credentials, _, _ = systemd.recvmsg(100, 100)
                assert message == expected
                assert int.from_bytes(credentials[0][2][:4], sys.byteorder) == program.pid
            assert program.wait(PATIENCE_SECONDS) == 3


def test_a_supervisor_whose_loop_hangs_says_where_when_systemd_asks() -> None:
    body = """import faulthandler
faulthandler.enable()
print(os.getpid(), flush=True)
time.sleep(600)  # it hangs here"""
    with started(body) as program:
        line_of(program)
        program.send_signal(signal.SIGABRT)
        _, errors = program.communicate(timeout=PATIENCE_SECONDS)
        assert program.returncode == 128 + signal.SIGABRT
        assert "Current thread" in errors
        assert " in run\n" in errors


def test_a_stopped_supervisor_is_killed_soon_after_systemd_asked() -> None:
    with started("print(os.getpid(), flush=True)\ntime.sleep(600)") as program:
        (supervisor,) = line_of(program)
        os.kill(supervisor, signal.SIGSTOP)
        stat = Path(f"/proc/{supervisor}/stat")
        wait_until(lambda: stat.read_text().rpartition(")")[2].split()[0] == "T", "it is stopped")
        program.send_signal(signal.SIGABRT)
        _, errors = program.communicate(timeout=PATIENCE_SECONDS)
        assert program.returncode == 128 + signal.SIGKILL
        assert "ended by SIGKILL" in errors
