"""Background work has an owner, who sees how it ends and ends it; and nothing begins without one."""

import ast
import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from supervisor.log.events.worker import TaskFailed
from supervisor.process import tasks as tasks_module
from supervisor.process.tasks import Tasks, done_before
from tests.log_events import facts_of, told
from tests.patience import PATIENCE_SECONDS

ROOT = Path(__file__).parents[3]


async def fail() -> None:
    raise ValueError("broken")


async def never() -> None:
    await asyncio.Event().wait()


@pytest.fixture(autouse=True)
async def _in_time() -> AsyncIterator[None]:
    async with asyncio.timeout(PATIENCE_SECONDS):
        yield


async def test_a_failure_is_logged_with_its_name_and_trace(caplog: pytest.LogCaptureFixture) -> None:
    tasks = Tasks()
    tasks.start(fail(), "repair of the roof")
    await tasks.wait()
    await asyncio.sleep(0)
    (record,) = caplog.records
    assert (record.event, record.levelname) == (TaskFailed.name, "CRITICAL")
    assert facts_of(record) == {"task": "repair of the roof", "consequence": "The worker goes on."}
    assert record.exc_info, "a bug is told with the place where it is"
    assert not tasks


async def test_an_owner_may_do_something_else_about_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    failures: list[tuple[str, str]] = []
    tasks = Tasks(lambda name, error: failures.append((name, str(error))))
    tasks.start(fail(), "heartbeat")
    await tasks.wait()
    await asyncio.sleep(0)
    assert failures == [("heartbeat", "broken")]
    assert caplog.records == []


async def test_what_is_kept_is_started_again_until_it_ends_by_itself(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tasks_module, "FIRST_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(tasks_module, "LONGEST_PAUSE_SECONDS", 0.003)
    tries: list[int] = []

    async def work() -> None:
        tries.append(1)
        if len(tries) < 4:
            await fail()

    tasks = Tasks()
    await tasks.keep(work, "watch")
    assert len(tries) == 4
    assert told(caplog, TaskFailed) == [
        {"task": "watch", "consequence": f"It starts again in {pause} s."} for pause in (0.001, 0.002, 0.003)
    ]
    assert len(caplog.records) == 3
    assert all(record.exc_info for record in caplog.records)


async def test_work_that_is_ended_is_no_failure_and_close_waits_for_its_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ended: list[str] = []

    async def work() -> None:
        try:
            await never()
        finally:
            await asyncio.sleep(0.01)
            ended.append("tidied up")

    tasks = Tasks()
    tasks.start(work(), "one")
    tasks.keep(work, "another")
    await asyncio.sleep(0)
    assert len(tasks) == 2
    await tasks.close()
    assert ended == ["tidied up"] * 2
    assert not tasks
    assert caplog.records == []


async def test_work_that_is_done_does_not_count_even_before_its_owner_has_seen_it() -> None:
    """The owner starts the next one if none runs: one that is only about to be forgotten must not stand in the way."""
    tasks = Tasks()
    counts: list[int] = []

    async def nothing() -> None: ...

    tasks.start(nothing(), "work")
    # After the one step of the work, and before what its end calls.
    asyncio.get_running_loop().call_soon(lambda: counts.append(len(tasks)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert counts == [0]


async def test_waiting_has_a_bound() -> None:
    tasks = Tasks()
    tasks.start(never(), "work")
    await tasks.wait(0.001)
    assert len(tasks) == 1
    await tasks.close()


async def test_work_is_done_until_an_event_comes_first() -> None:
    stop = asyncio.Event()
    assert await done_before(asyncio.sleep(0), stop)
    with pytest.raises(ValueError, match="broken"):
        await done_before(fail(), stop)
    ended: list[bool] = []

    async def work() -> None:
        stop.set()
        try:
            await never()
        finally:
            ended.append(True)

    assert not await done_before(work(), stop)
    assert ended == [True], "it has ended when this returns"


def test_background_work_begins_in_one_module() -> None:
    starters = {"create_task", "ensure_future", "TaskGroup"}
    found = [
        f"{file.relative_to(ROOT)}:{node.lineno}"
        for file in (ROOT / "supervisor").rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in starters
    ]
    assert {place.partition(":")[0] for place in found} == {"supervisor/process/tasks.py"}
