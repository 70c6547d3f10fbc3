"""The stack of a job that goes on: all threads while they sleep, else only the main one, so that no look crashes it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from supervisor.watch import running_stack
from supervisor.watch.running_stack import take_dump_of_running, threads_left_out
from tests.patience import PATIENCE_SECONDS

MAIN = 'Stack (most recent call first):\n  File "/opt/jobs/show.py", line 20 in run\n'
SLEEPS = (
    "import threading, time; [threading.Thread(target=time.sleep, args=(600,)).start() for _ in range({})]"
)
COMPUTES = "import threading; threading.Thread(target=lambda: [None for _ in iter(int, 1)]).start()"


@contextmanager
def python(code: str) -> Iterator[int]:
    """The number of a process that runs `code` and then says so; its main thread sleeps."""
    code += "; print(flush=True); import time; time.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"\n"
            yield process.pid
        finally:
            process.kill()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, bool]]:
    """How faulthandler was asked."""
    asked: list[dict[str, bool]] = []

    async def take(_: Any, **how: bool) -> str:
        asked.append(how)
        return MAIN

    monkeypatch.setattr(running_stack, "take_dump", take)
    return asked


class Child:
    def __init__(self, pid: int) -> None:
        self.pid = pid


async def take(pid: int) -> None:
    assert await take_dump_of_running(Child(pid), for_a_person=True) == MAIN  # type: ignore[arg-type]  # what is used


@pytest.mark.parametrize("threads", [0, 3, 150])
async def test_all_threads_are_asked_for_while_every_one_sleeps(
    asked: list[dict[str, bool]], monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    # A machine that is busy may take long until the last of them sleeps.
    monkeypatch.setattr(running_stack, "_MOST_LOOKS", int(PATIENCE_SECONDS / running_stack._LOOK_SECONDS))
    with python(SLEEPS.format(threads)) as pid:
        await take(pid)
    assert asked == [{"for_a_person": True, "main_only": False}]


async def test_only_the_main_thread_is_asked_for_while_another_computes(asked: list[dict[str, bool]]) -> None:
    """faulthandler would follow its pointers while they change, and crash the job."""
    with python(COMPUTES) as pid:
        await take(pid)
    assert asked == [{"for_a_person": True, "main_only": True}]


async def test_only_the_main_thread_is_asked_for_where_the_threads_can_not_be_looked_at(
    asked: list[dict[str, bool]],
) -> None:
    await take(2**22 + 1)
    assert asked == [{"for_a_person": True, "main_only": True}]


@pytest.mark.parametrize(
    ("threads", "dump", "left_out"),
    [
        (5, MAIN, True),
        (5, MAIN + "\nThread pool-0 (most recent call first):\n", False),
        (5, MAIN.replace("Stack", "Current thread 0x1"), False),
        (1, MAIN, False),
    ],
)
def test_threads_of_the_job_that_are_not_shown_are_noticed(threads: int, dump: str, left_out: bool) -> None:
    with python(SLEEPS.format(threads)) as pid:
        assert threads_left_out(pid, dump) is left_out
