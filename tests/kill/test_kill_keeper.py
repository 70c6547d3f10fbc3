"""The keeper as a function: which code it returns, what it passes on, and that it kills what is left, stopped first."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from supervisor import keeper as keeper_module
from supervisor.process import kept as kept_module
from tests.patience import PATIENCE_SECONDS

ROOT = Path(__file__).parents[2]
KEEP = """
import ctypes, json, os, signal, subprocess, sys, time
from pathlib import Path
from supervisor import keeper
from supervisor.process import kept
here = os.getpid()

def run():
    facts = {{
        "keeper": kept.keeper_pid(), "parent": os.getppid(), "group": os.getpgid(0) == os.getpid(),
        "blocked": [int(number) for number in signal.pthread_sigmask(signal.SIG_BLOCK, ())],
        "hup": signal.getsignal(signal.SIGHUP) == signal.SIG_IGN,
    }}
    print(json.dumps(facts), flush=True)
    {body}

code = keeper.keep(run)
if os.getpid() == here:
    left = Path(f"/proc/self/task/{{here}}/children").read_text().split()
    print(json.dumps({{"left": left, "name": Path("/proc/self/comm").read_text().strip()}}), flush=True)
sys.exit(code)
"""
SLEEP = '[sys.executable, "-I", "-S", "-c", "import time; time.sleep(600)"]'


def kept(body: str, **options: Any) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", KEEP.format(body=body)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def ended(process: "subprocess.Popen[str]") -> tuple[int, list[dict[str, Any]], str]:
    """Return the exit code, what was printed, and stderr."""
    with process:
        output, errors = process.communicate(timeout=PATIENCE_SECONDS)
    return process.returncode, [json.loads(line) for line in output.splitlines()], errors


def test_the_supervisor_is_a_child_with_a_group_of_its_own_and_its_code_is_the_keeper_s() -> None:
    process = kept("return 7")
    code, (seen, after), errors = ended(process)
    assert (code, errors) == (7, "")
    assert seen == {"keeper": process.pid, "parent": process.pid, "group": True, "blocked": [], "hup": True}
    assert after == {"left": [], "name": "neops-keeper"}


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_supervisor_that_is_killed_is_named_and_what_it_started_is_killed(number: int) -> None:
    process = kept(
        f"for _ in range(3): subprocess.Popen({SLEEP}, start_new_session=True)\n    "
        f"os.kill(os.getpid(), {int(number)})"
    )
    code, (_, after), errors = ended(process)
    assert code == 128 + number
    assert signal.Signals(number).name in errors
    assert "3 process(es) of it were killed" in errors
    assert after["left"] == []


def test_what_an_orderly_end_has_left_is_killed_without_a_word() -> None:
    code, (_, after), errors = ended(kept(f"subprocess.Popen({SLEEP}, start_new_session=True)\n    return 0"))
    assert (code, errors) == (0, "")
    assert after["left"] == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_to_the_keeper_is_passed_on(number: int) -> None:
    # Waited for while blocked: a handler in Python would not run when the signal came just before a sleep.
    body = (
        f"signal.pthread_sigmask(signal.SIG_BLOCK, [{int(number)}])\n    "
        'print(json.dumps("listening"), flush=True)\n    '
        f"signal.sigwait([{int(number)}])\n    os._exit(40)"
    )
    process = kept(body)
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.readline()
    process.send_signal(number)
    assert ended(process)[0] == 40


def test_a_signal_before_the_start_ends_it_and_is_no_failure() -> None:
    process = kept("time.sleep(600)")
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGHUP)  # asks for what has not been read yet to be read anew
    process.send_signal(signal.SIGTERM)
    code, _, errors = ended(process)
    assert (code, errors) == (0, "supervisor: stopped by SIGTERM before it had started.\n")


def test_a_cgroup_that_was_left_to_the_keeper_is_removed_and_the_latest_list_counts(tmp_path: Path) -> None:
    for name in ("first and long", "one", "two"):
        (tmp_path / name).mkdir()
    one, two, first = (str(tmp_path / name) for name in ("one", "two", "first and long"))
    body = (
        f"kept.leave_to_keeper([Path({first!r})] * 3)\n    "
        f"kept.leave_to_keeper([Path({one!r}), Path({two!r})])\n    os.kill(os.getpid(), 9)"
    )
    ended(kept(body))
    assert [path.name for path in tmp_path.iterdir()] == ["first and long"]


def test_without_a_keeper_nothing_is_left_to_it() -> None:
    assert kept_module.keeper_pid() is None
    kept_module.leave_to_keeper([Path("/nowhere")])
    keeper_module.remove_cgroups()


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> tuple[set[int], list[tuple[int, int]]]:
    """Children that there seem to be, which end when they are killed, and what they are sent."""
    there: set[int] = {101, 102}
    sent: list[tuple[int, int]] = []

    def kill(pid: int, number: int) -> None:
        sent.append((pid, number))

    def reap() -> None:
        there.difference_update(pid for pid, number in sent if number == signal.SIGKILL)

    monkeypatch.setattr(keeper_module, "_children", lambda _: set(there))
    monkeypatch.setattr(keeper_module, "_reap", reap)
    monkeypatch.setattr(keeper_module.os, "kill", kill)
    return there, sent


def test_all_children_are_stopped_before_one_is_killed(
    children: tuple[set[int], list[tuple[int, int]]],
) -> None:
    _, sent = children
    assert keeper_module.kill_all_children(50) == 2
    assert [number for _, number in sent] == [signal.SIGSTOP] * 2 + [signal.SIGKILL] * 2
    assert {pid for pid, _ in sent[2:]} == {101, 102}


def test_children_that_can_not_be_killed_are_not_waited_for_without_end(
    children: tuple[set[int], list[tuple[int, int]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper_module, "_reap", lambda: None)
    assert keeper_module.kill_all_children(0.5) == 2


def test_one_that_is_gone_keeps_the_others_from_nothing(
    children: tuple[set[int], list[tuple[int, int]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    there, sent = children

    def kill(pid: int, number: int) -> None:
        sent.append((pid, number))
        if pid == 101:
            raise ProcessLookupError

    monkeypatch.setattr(keeper_module.os, "kill", kill)
    keeper_module.kill_all_children(50)
    assert (102, signal.SIGKILL) in sent
    assert there == set()
