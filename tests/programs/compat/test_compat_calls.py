"""`run_in_thread` of the alias: a call begins where it is made, and belongs to the job."""

import asyncio
import gc
import importlib
import logging
import threading
import time
import warnings
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sdk import JobMeta
from sdk.block_registry import RegisteredBlock
from sdk.compat.finder import install_alias
from sdk.concurrency.tasks import RESERVE_SECONDS
from sdk.concurrency.threads import MOST_THREADS
from sdk.execution import JobInput, OutcomeBody, run_job
from sdk.unawaited import CallNotAwaitedWarning
from tests.patience import PATIENCE_SECONDS, until

install_alias()

pytestmark = pytest.mark.filterwarnings("always::sdk.unawaited.CallNotAwaitedWarning")

run_in_thread: Any = importlib.import_module("neops_worker_sdk.concurrency").run_in_thread
function_block: Any = importlib.import_module("neops_worker_sdk.function_block.function_block")
registration: Any = importlib.import_module("neops_worker_sdk.registry.registration").Registration


@pytest.fixture
def go_on() -> Iterator[threading.Event]:
    """What a call waits for; set at the end of the test at the latest."""
    event = threading.Event()
    yield event
    event.set()


async def outcome_of(work: Callable[[Any], Any], seconds: float | None = None) -> OutcomeBody:
    """The outcome of a block of the other package whose `run` is `work`, and which has `seconds` for it."""

    class Block(function_block.FunctionBlock):  # type: ignore[misc,name-defined]  # loaded at run time
        async def acquire(self, params: Any) -> Any: ...

        async def run(self, params: Any, context: Any) -> Any:
            await work(self)
            return function_block.FunctionBlockResult(message="done", success=True)

    facts = registration(
        name="calls",
        package="tests",
        description="Calls",
        run_on="global",
        fb_type="execute",
        param_cls=function_block.FunctionBlockParams,
        result_cls=function_block.FunctionBlockResultData,
    )
    Block.registration = facts
    block = RegisteredBlock(Block, facts, module=__name__, file=__file__, line=1)
    deadline = None if seconds is None else time.monotonic() + seconds
    meta = JobMeta("job-1", "tests/calls:1.0.0", "step_1", deadline, Path("/nowhere"))
    async with asyncio.timeout(PATIENCE_SECONDS):
        return await run_job(block, JobInput("execute", {}, None, "global"), meta, logging.getLogger("job"))


async def test_a_call_begins_where_it_is_made_also_while_the_loop_does_something_else() -> None:
    begun = threading.Event()
    call = run_in_thread(begun.set)()
    assert begun.wait(PATIENCE_SECONDS)
    assert await call is await call is None


async def test_a_call_that_is_not_awaited_is_waited_for_and_told_with_its_line(
    go_on: threading.Event,
) -> None:
    done: list[str] = []

    @run_in_thread
    def note(text: str) -> None:
        go_on.wait(PATIENCE_SECONDS)
        done.append(text)

    async def work(block: Any) -> None:
        note("seen")  # this is the line
        asyncio.get_running_loop().call_later(0.05, go_on.set)

    outcome = await outcome_of(work)
    assert (outcome.success, done) == (True, ["seen"])
    line = work.__code__.co_firstlineno + 1
    (told,) = outcome.not_awaited
    assert told.startswith(f"Line {line} of {__file__} calls ")
    assert "note() without await." in told


async def test_a_call_without_an_end_is_cut_off_before_the_job_s_time_is_over_and_the_result_stands(
    go_on: threading.Event, caplog: pytest.LogCaptureFixture
) -> None:
    async def work(block: Any) -> None:
        run_in_thread(go_on.wait)(PATIENCE_SECONDS)

    outcome = await outcome_of(work, RESERVE_SECONDS + 0.1)
    assert (outcome.success, len(outcome.not_awaited)) == (True, 1)
    assert not go_on.is_set()
    assert "its result stands: Event.wait" in caplog.text


async def test_a_block_that_fails_waits_for_none_of_its_calls(go_on: threading.Event) -> None:
    calls: list[Any] = []

    async def work(block: Any) -> None:
        calls.append(run_in_thread(go_on.wait)(PATIENCE_SECONDS))
        raise ValueError("no")

    outcome = await outcome_of(work)
    assert "ValueError: no" in outcome.message
    assert not go_on.is_set()
    assert calls[0].cancelled()


async def _awaits(call: Any) -> None:
    await call


async def _gathers(call: Any) -> None:
    await asyncio.gather(call)


async def _waits(call: Any) -> None:
    await asyncio.wait([call])


async def _limits(call: Any) -> None:
    await asyncio.wait_for(call, PATIENCE_SECONDS)


async def _asks(call: Any) -> None:
    while not call.done():
        await asyncio.sleep(0)


async def _cancels(call: Any) -> None:
    call.cancel()


@pytest.mark.parametrize("ask", [_awaits, _gathers, _waits, _limits, _asks, _cancels])
async def test_a_call_that_somebody_asks_for_is_no_forgotten_one(ask: Any) -> None:
    async def work(block: Any) -> None:
        await ask(run_in_thread(int)("3"))

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        outcome = await outcome_of(work)
        gc.collect()
    assert (outcome.success, outcome.not_awaited) == (True, ())


async def test_what_a_forgotten_call_raises_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def work(block: Any) -> None:
        run_in_thread(int)("no number")

    outcome = await outcome_of(work)
    gc.collect()
    assert (outcome.success, len(outcome.not_awaited)) == (True, 1)
    (record,) = [each for each in caplog.records if each.exc_info]
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], ValueError)


async def test_a_forgotten_call_outside_of_a_job_is_a_warning_of_pythons() -> None:
    done = threading.Event()

    async def forget() -> None:
        gone = weakref.ref(run_in_thread(done.set)())
        await until(lambda: gone() is None)

    with pytest.warns(CallNotAwaitedWarning, match="without await") as told:
        await forget()
    assert done.is_set()
    assert told[0].filename == __file__


async def test_a_call_hands_over_what_it_returns_or_raises() -> None:
    assert await run_in_thread(SimpleNamespace)(a=1) == SimpleNamespace(a=1)
    with pytest.raises(ValueError, match="no number"):
        await run_in_thread(int)("no number")
    with pytest.raises(RuntimeError, match="raised StopIteration"):
        await run_in_thread(next)(iter(()))


async def test_a_generator_is_handed_over_as_the_package_does() -> None:
    @run_in_thread
    def numbers() -> Iterator[int]:
        yield 1

    assert list(await numbers()) == [1]


class Methods:
    @run_in_thread  # type: ignore[untyped-decorator]  # loaded at run time
    @staticmethod
    def above(text: str) -> str:
        return text

    @classmethod
    @run_in_thread  # type: ignore[untyped-decorator]  # loaded at run time
    def below(cls, text: str) -> str:
        return cls.__name__ + text


async def test_methods_are_bound() -> None:
    assert await asyncio.gather(Methods.above("a"), Methods().below("b")) == ["a", "Methodsb"]


def test_a_call_where_no_loop_runs_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="no running event loop"):
        run_in_thread(int)()


async def test_a_call_that_is_cancelled_while_it_waits_for_its_turn_never_begins(
    go_on: threading.Event,
) -> None:
    begun: list[int] = []
    running = [run_in_thread(go_on.wait)(PATIENCE_SECONDS) for _ in range(MOST_THREADS)]
    waiting = [run_in_thread(begun.append)(number) for number in range(3)]
    waiting[1].cancel()
    go_on.set()
    await asyncio.gather(*running, *waiting, return_exceptions=True)
    assert sorted(begun) == [0, 2]
