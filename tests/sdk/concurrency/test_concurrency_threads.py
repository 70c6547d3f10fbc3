"""`run_in_thread`: what it hands over, what comes back, and what a cancellation leaves."""

import asyncio
import contextvars
import gc
import inspect
import logging
import re
import threading
import time
from typing import Any

import pytest

from sdk.concurrency import run_in_thread
from sdk.concurrency.threads import MOST_THREADS, NotBlockingError
from sdk.errors import SdkError
from tests.patience import PATIENCE_SECONDS, until

word: contextvars.ContextVar[str] = contextvars.ContextVar("word", default="none")


@run_in_thread
def thread_and_word(suffix: str = "") -> tuple[int, str]:
    return threading.get_ident(), word.get() + suffix


async def test_a_call_runs_in_another_thread_with_the_caller_s_context_variables() -> None:
    word.set("set")
    ident, seen = await thread_and_word(suffix="!")
    assert ident != threading.get_ident()
    assert seen == "set!"


class Methods:
    """Every way to decorate a method."""

    def __init__(self, name: str) -> None:
        self.name = name

    @run_in_thread
    def plain(self, more: str) -> str:
        """Say both."""
        return self.name + more

    @staticmethod
    @run_in_thread
    def static_below(more: str) -> str:
        return more

    @run_in_thread
    @staticmethod
    def static_above(more: str) -> str:
        return more

    @classmethod
    @run_in_thread
    def class_below(cls, more: str) -> str:
        return cls.__name__ + more

    @run_in_thread
    @classmethod
    def class_above(cls, more: str) -> str:
        return cls.__name__ + more


async def test_methods_are_bound_and_keep_their_names() -> None:
    one, other = Methods("one"), Methods("other")
    assert await asyncio.gather(one.plain("!"), other.plain("?")) == ["one!", "other?"]
    for each in (one.static_below, one.static_above, Methods.static_above):
        assert await each("more") == "more"
    for each in (one.class_below, one.class_above, Methods.class_above):
        assert await each("!") == "Methods!"
    assert Methods.plain.__doc__ == "Say both."
    assert inspect.iscoroutinefunction(one.plain)


async def test_an_exception_comes_out_of_the_await_with_the_author_s_traceback() -> None:
    @run_in_thread
    def fails() -> None:
        raise KeyError("missing")

    with pytest.raises(KeyError) as caught:
        await fails()
    assert caught.traceback[-1].name == "fails"


async def test_a_stop_iteration_ends_the_await_and_does_not_hang_it() -> None:
    @run_in_thread
    def stops() -> None:
        next(iter(()))

    async with asyncio.timeout(PATIENCE_SECONDS):
        with pytest.raises(RuntimeError, match="stops raised StopIteration") as caught:
            await stops()
    assert isinstance(caught.value.__cause__, StopIteration)


async def _async() -> None:
    pass


class _AsyncCallable:
    async def __call__(self) -> None:
        pass


@pytest.mark.parametrize("fn", [_async, _AsyncCallable(), staticmethod(_async)])
def test_an_async_function_is_refused_where_it_is_decorated(fn: Any) -> None:
    with pytest.raises(NotBlockingError, match="which is async") as caught:
        run_in_thread(fn)
    assert isinstance(caught.value, SdkError)
    assert isinstance(caught.value, TypeError)


async def test_what_is_no_function_is_refused() -> None:
    with pytest.raises(NotBlockingError, match="Give it a function"):
        run_in_thread(3)  # type: ignore[arg-type]


def _yields() -> Any:
    yield 1


class _YieldingCallable:
    def __call__(self) -> Any:
        yield 1


@pytest.mark.parametrize("fn", [_yields, _YieldingCallable(), classmethod(_yields)])
def test_a_generator_is_refused_where_it_is_decorated_as_its_code_would_run_on_the_loop(fn: Any) -> None:
    with pytest.raises(NotBlockingError, match=r"which is a generator .* Return a list"):
        run_in_thread(fn)


async def _yields_async() -> Any:
    yield 1


@pytest.mark.parametrize("returned", [_async, _yields, _yields_async])
async def test_a_call_that_returns_what_has_not_run_yet_fails_and_says_so(returned: Any) -> None:
    call = run_in_thread(lambda: returned())
    with pytest.raises(NotBlockingError, match=r"<lambda> returned: a (coroutine|generator), whose code"):
        await call()
    gc.collect()  # an unawaited coroutine would be a warning, and so an error


def test_a_property_is_refused_with_what_to_write() -> None:
    with pytest.raises(NotBlockingError, match=r"a property in a thread\. Make it a method"):
        run_in_thread(property(lambda self: 1))  # type: ignore[arg-type]  # what is tested


@pytest.mark.parametrize("fails", [False, True])
async def test_a_cancelled_call_ends_at_once_and_what_its_thread_makes_of_it_is_logged(
    fails: bool, caplog: pytest.LogCaptureFixture
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    @run_in_thread
    def slow() -> str:
        begun.set()
        go_on.wait(PATIENCE_SECONDS)
        if fails:
            raise ValueError("too late")
        return "too late"

    caplog.set_level(logging.INFO)
    task = asyncio.create_task(slow())
    await until(begun.is_set)
    cancelled_at = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        async with asyncio.timeout(PATIENCE_SECONDS):
            await task
    assert not go_on.is_set()
    go_on.set()
    await until(lambda: caplog.records)
    most_seconds = time.monotonic() - cancelled_at
    del task
    gc.collect()
    (record,) = caplog.records  # asyncio would add its own for an exception that was never retrieved
    verb = "failed" if fails else "ended"
    told = re.search(rf" {verb} ([0-9]+\.[0-9]) s after its caller was cancelled", record.message)
    assert told is not None
    assert float(told[1]) <= most_seconds + 0.05, "as it is rounded"
    assert record.levelno == (logging.WARNING if fails else logging.INFO)
    assert ("ValueError: too late" in record.message) == fails


def test_a_thread_that_outlives_its_loop_is_logged_too(caplog: pytest.LogCaptureFixture) -> None:
    begun, go_on = threading.Event(), threading.Event()

    @run_in_thread
    def slow() -> None:
        begun.set()
        go_on.wait(PATIENCE_SECONDS)
        raise ValueError("nobody is left")

    async def leave_it() -> None:
        task = asyncio.create_task(slow())
        await until(begun.is_set)
        task.cancel()

    asyncio.run(leave_it())
    threads = [each for each in threading.enumerate() if each.name.endswith("slow")]
    go_on.set()
    for each in threads:
        each.join(PATIENCE_SECONDS)
    assert "nobody is left" in caplog.text


async def test_fifty_calls_run_at_once_and_no_more_than_the_bound() -> None:
    running = most = 0
    lock = threading.Lock()
    all_in = threading.Barrier(50)

    @run_in_thread
    def meet() -> None:
        all_in.wait(PATIENCE_SECONDS)

    await asyncio.gather(*(meet() for _ in range(50)))

    full = threading.Event()

    @run_in_thread
    def count() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
            if running == MOST_THREADS:
                full.set()
        full.wait(PATIENCE_SECONDS)
        with lock:
            running -= 1

    await asyncio.gather(*(count() for _ in range(MOST_THREADS + 30)))
    assert most == MOST_THREADS


async def test_where_no_thread_can_be_started_the_call_raises_and_gives_its_turn_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        for _ in range(MOST_THREADS + 1):
            with pytest.raises(RuntimeError, match="can't start"):
                await thread_and_word()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await thread_and_word()
