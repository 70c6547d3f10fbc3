"""What people are told of a loop that has stalled: once, where it hangs, and after that that it runs again."""

import asyncio
import os
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from jobrunner.protocol.masking import Mask
from supervisor.log.event import Event
from supervisor.log.events.jobs import LoopResumed, LoopStalled
from supervisor.log.events.worker import TaskFailed
from supervisor.watch import stall as stall_module
from supervisor.watch.stall import StallReport
from tests.log_events import told
from tests.patience import until

BOUND_SECONDS = 50.0


class Log:
    """Keeps what is told."""

    def __init__(self) -> None:
        self.told: list[tuple[type[Event], dict[str, Any]]] = []
        self.mask = Mask()

    def tell(self, event: type[Event], **facts: Any) -> None:
        self.told.append((event, facts))


@pytest.fixture
def child() -> Iterator[Any]:
    """A child with a dump of eight bytes."""
    dump = os.memfd_create("test-stall")
    os.write(dump, b"12345678")
    yield SimpleNamespace(pid=os.getpid(), dump=dump, dump_start=0, dump_turn=asyncio.Lock())
    os.close(dump)


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Opens when the stack may come. The kernel's view is one sentence."""
    gate = asyncio.Event()

    async def take(_: Any) -> str:
        await gate.wait()
        return "the stack"

    monkeypatch.setattr(stall_module, "take_dump_of_running", take)
    monkeypatch.setattr(stall_module, "read_stack", lambda _: "the stack")
    monkeypatch.setattr(stall_module, "is_stopped", lambda _: False)
    monkeypatch.setattr(stall_module, "kernel_sentence", lambda _: "the kernel's view")
    return gate


async def test_a_stall_is_told_with_the_stack_which_is_no_evidence_of_the_end_any_more(
    child: Any, log: Log, stack: asyncio.Event
) -> None:
    stack.set()
    StallReport(child, log).stalled(3.25)
    await until(lambda: log.told)
    assert log.told == [(LoopStalled, {"seconds": 3.25, "stack": "the stack"})]
    assert child.dump_start == 8


async def test_where_no_stack_comes_the_kernel_is_asked(
    child: Any, log: Log, stack: asyncio.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stall_module, "STACK_SECONDS", 0.01)
    StallReport(child, log).stalled(3)
    await until(lambda: log.told)
    assert log.told == [(LoopStalled, {"seconds": 3, "stack": "the kernel's view"})]
    assert child.dump_start == 0


async def test_a_child_that_is_stopped_is_not_asked_for_its_stack(
    child: Any, log: Log, stack: asyncio.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.set()
    monkeypatch.setattr(stall_module, "is_stopped", lambda _: True)
    StallReport(child, log).stalled(3)
    await until(lambda: log.told)
    assert log.told == [(LoopStalled, {"seconds": 3, "stack": "the kernel's view"})]


async def test_that_it_runs_again_is_told_after_the_warning_even_if_that_is_still_being_written(
    child: Any, log: Log, stack: asyncio.Event
) -> None:
    report = StallReport(child, log)
    report.stalled(3)
    await asyncio.sleep(0)
    report.resumed(4.5)
    assert log.told == []
    stack.set()
    await until(lambda: len(log.told) == 2)
    assert log.told[0][0] is LoopStalled
    assert log.told[1] == (LoopResumed, {"seconds": 4.5})
    report.resumed(5)
    assert log.told[2:] == [(LoopResumed, {"seconds": 5})]


async def test_what_is_not_told_yet_is_given_up_with_the_job(
    child: Any, log: Log, stack: asyncio.Event
) -> None:
    report = StallReport(child, log)
    report.stop()
    report.stalled(3)
    await asyncio.sleep(0)
    report.stop()
    stack.set()
    assert report._task is not None
    await asyncio.gather(report._task, return_exceptions=True)
    assert log.told == []


async def test_a_report_that_fails_is_logged_with_its_trace(
    child: Any, log: Log, stack: asyncio.Event, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ValueError("broken")

    stack.set()
    log.tell = broken  # type: ignore[method-assign]
    StallReport(child, log).stalled(3)
    await until(lambda: caplog.records)
    assert told(caplog, TaskFailed) == [
        {"task": "report of a stalled loop", "consequence": "The worker goes on."}
    ]
    assert "ValueError: broken" in caplog.text


async def test_a_stall_is_told_where_its_place_can_not_be_seen(
    child: Any, log: Log, stack: asyncio.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused(_: Any) -> str:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(stall_module, "take_dump_of_running", refused)
    StallReport(child, log).stalled(3.25)
    await until(lambda: log.told)
    ((event, facts),) = log.told
    assert (event, facts["seconds"]) == (LoopStalled, 3.25)
    assert facts["stack"] == "Where it hangs could not be seen: Too many open files."
