"""A stack for a person, beside the evidence of the job's end: neither takes the other for its own."""

import asyncio
import os
from collections.abc import Iterator
from typing import Any

import pytest

from jobrunner.protocol.masking import Mask
from supervisor.process.long_work import LongWork
from supervisor.watch import running_stack
from supervisor.watch import stack_on_demand as on_demand_module
from supervisor.watch.fair_mask import FairMask
from supervisor.watch.stack import dumped_bytes, read_stack
from supervisor.watch.stack_on_demand import BEING_ENDED, NO_HANDLER, SILENT, StackOnDemand
from supervisor.watch.whose_code import ROOT
from tests.patience import until

PYTHON = os.path.dirname(os.__file__)
SECRET = "Trellis-Wagon-1842"
FRAME = '  File "/opt/jobs/show.py", line {} in run\n'
ASKED = "Thread 0x1 (most recent call first):\n" + FRAME.format(20)
CRASH = (
    "Fatal Python error: Segmentation fault\n\nCurrent thread 0x1 (most recent call first):\n"
    + FRAME.format(66)
)


class Child:
    """A child that answers what the test says, when it says so."""

    def __init__(self) -> None:
        self.pid = 2**22 + 1  # above what the kernel gives out
        self.dump = os.memfd_create("test-on-demand")
        self.dump_start = 0
        self.dump_turn = asyncio.Lock()
        self.answer: str | None = ASKED
        self.asked = 0
        self.owes = False

    def may_be_writing_stack(self) -> bool:
        return False

    def owes_stack(self) -> bool:
        return self.owes

    def ask_for_stack(self, *, of_main: bool = False) -> bool:
        self.asked += 1
        if self.answer:
            self.write(self.answer)
        return self.answer is not None

    def write(self, text: str) -> None:
        os.write(self.dump, text.encode())

    @property
    def evidence(self) -> str:
        return read_stack(self)  # type: ignore[arg-type]  # what is used of it


@pytest.fixture
def child() -> Iterator[Child]:
    child = Child()
    yield child
    os.close(child.dump)


@pytest.fixture
def stack(child: Child, monkeypatch: pytest.MonkeyPatch) -> StackOnDemand:
    monkeypatch.setattr(running_stack, "_MOST_LOOKS", 0)  # it has no threads that could come to rest
    mask: Any = Mask([SECRET])
    return StackOnDemand(child, FairMask(mask, LongWork()))  # type: ignore[arg-type]


async def test_what_was_told_to_a_person_is_no_evidence_and_its_secrets_are_masked(
    child: Child, stack: StackOnDemand
) -> None:
    child.answer = ASKED.replace("show", SECRET)
    seen = await stack.take()
    assert "line 20 in run" in seen.stack
    assert SECRET not in seen.stack
    assert child.evidence == ""


async def test_a_loop_that_is_between_two_steps_is_asked_again(child: Child, stack: StackOnDemand) -> None:
    between = (
        "Current thread 0x1 (most recent call first):\n"
        f'  File "{PYTHON}/asyncio/base_events.py", line 707 in time\n'
        f'  File "{PYTHON}/asyncio/base_events.py", line 1890 in _run_once\n'
        f'  File "{ROOT}/jobrunner/job.py", line 69 in run_order\n'
    )
    answers = [between, between, ASKED]

    def ask(*, of_main: bool = False) -> bool:
        child.write(answers[child.asked])
        child.asked += 1
        return True

    child.ask_for_stack = ask  # type: ignore[method-assign]
    seen = await stack.take()
    assert "line 20 in run" in seen.stack
    assert "_run_once" not in seen.stack
    assert child.asked == 3


async def test_a_crash_that_comes_with_the_answer_stays_evidence(child: Child, stack: StackOnDemand) -> None:
    child.answer = ASKED + "\n" + CRASH
    await stack.take()
    assert "line 66" in child.evidence


async def test_an_answer_that_is_half_there_when_the_job_is_ended_is_left_out_of_the_evidence(
    child: Child, stack: StackOnDemand
) -> None:
    child.answer = ""
    asking = asyncio.create_task(stack.take())
    await until(lambda: child.asked)
    child.write(ASKED)
    stack.stop()
    child.write(ASKED.replace("20", "30"))  # as the kill protocol has asked
    assert (await asking).why_not == BEING_ENDED
    assert "line 30" in child.evidence
    assert "line 20" not in child.evidence
    assert (await stack.take()).why_not == BEING_ENDED
    assert child.asked == 1


async def test_an_answer_that_comes_late_is_no_evidence_and_until_then_nobody_is_asked_again(
    child: Child, stack: StackOnDemand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_demand_module, "ANSWER_SECONDS", 0.05)
    child.answer, child.owes = "", True
    assert (await stack.take()).why_not == SILENT
    assert (await stack.take()).why_not == SILENT
    assert child.asked == 1
    child.write(ASKED)
    child.owes = False
    await until(lambda: child.dump_start == dumped_bytes(child))  # type: ignore[arg-type]
    monkeypatch.undo()
    child.answer = ASKED.replace("20", "40")
    assert "line 40" in (await stack.take()).stack
    assert child.evidence == ""


async def test_a_request_that_the_child_has_dropped_keeps_nobody_from_asking_again(
    child: Child, stack: StackOnDemand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """faulthandler drops it if it is still writing another stack."""
    monkeypatch.setattr(on_demand_module, "ANSWER_SECONDS", 0.05)
    child.answer = ""
    assert (await stack.take()).why_not == SILENT
    child.answer = ASKED
    await until(lambda: stack._asked_from is None, "the request is given up")
    monkeypatch.undo()
    assert "line 20 in run" in (await stack.take()).stack
    assert child.asked == 2


async def test_what_the_tasks_await_is_shown_once_where_an_earlier_answer_has_come_late(
    child: Child, stack: StackOnDemand
) -> None:
    awaits = "Awaiting in task block (most recent call first):\n" + FRAME.format(7)
    child.answer = f"{awaits}\n{ASKED}\n{awaits}"
    assert (await stack.take()).stack.count("Awaiting in task block") == 1


async def test_who_asks_and_goes_takes_nothing_from_the_others(child: Child, stack: StackOnDemand) -> None:
    child.answer = ""
    leaving, staying = (asyncio.create_task(stack.take()) for _ in range(2))
    await until(lambda: child.asked)
    leaving.cancel()
    child.write(ASKED)
    assert "line 20" in (await staying).stack
    assert child.asked == 1


async def test_a_process_that_would_be_ended_by_the_signal_is_not_asked(
    child: Child, stack: StackOnDemand
) -> None:
    child.answer = None
    seen = await stack.take()
    assert (seen.stack, seen.why_not) == ("", NO_HANDLER)


async def test_a_person_waits_for_the_turn_of_a_report_so_that_neither_reads_the_other_s(
    child: Child, stack: StackOnDemand
) -> None:
    async with child.dump_turn:
        asking = asyncio.create_task(stack.take())
        await asyncio.sleep(0.02)
        assert child.asked == 0
        child.write(ASKED.replace("20", "10"))
    seen = await asking
    assert "line 20" in seen.stack
    assert "line 10" not in seen.stack


async def test_a_failure_of_ours_is_said_and_ends_nothing(
    child: Child, stack: StackOnDemand, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*, of_main: bool = False) -> bool:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(child, "ask_for_stack", broken)
    assert (await stack.take()).why_not == "It could not be asked: Too many open files."
    monkeypatch.undo()
    assert "line 20" in (await stack.take()).stack
