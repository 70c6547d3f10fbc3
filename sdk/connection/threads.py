"""How blocking steps run: each in a thread, under a limit that holds whatever the step does.

The limit counts from the beginning of the step: if many run at once, it waits for its turn first. At the limit, or when
the caller is cancelled, the caller goes on at once. The step is aborted, and its thread ends within moments. Nobody
waits for that.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar, cast

from sdk.concurrency.threads import ThreadCall

T = TypeVar("T")

_GRACE_SECONDS: Final = 0.2
"""A step checks its deadline itself, and can then say better what went wrong."""


@dataclass(frozen=True, slots=True)
class Step(Generic[T]):
    """A blocking action.

    `name` is for the log. `run` makes its deadline itself, because it may have waited for its turn. `abort` ends it
    from outside, and must not block. `late` says what went wrong if it did not end at its limit.
    """

    name: str
    run: Callable[[], T]
    abort: Callable[[], None]
    late: Callable[[], Exception]


class _Attempt(Generic[T]):
    """One run of a step. Errors that it raises after it was aborted are dropped."""

    def __init__(self, step: Step[T]) -> None:
        self._step = step
        self._is_aborted = False

    def abort(self) -> None:
        self._is_aborted = True
        self._step.abort()

    def run(self) -> T:
        try:
            return self._step.run()
        except Exception:
            if self._is_aborted:
                return cast("T", None)
            raise


async def run_limited(step: Step[T], seconds: float) -> T:
    """Run `step` in a thread. Return or raise what it returns or raises; at the limit, raise what `late` returns.

    `seconds` count from its beginning. If cancelled before that, it does not begin; `abort` is called nevertheless.
    """
    attempt = _Attempt(step)
    call = ThreadCall(attempt.run, step.name)
    try:
        await call.begun
        return await _ended(call, attempt, step, seconds)
    except asyncio.CancelledError:
        call.abandon()
        attempt.abort()
        raise


async def _ended(call: ThreadCall, attempt: _Attempt[T], step: Step[T], seconds: float) -> T:
    limit = asyncio.timeout(seconds + _GRACE_SECONDS)
    try:
        async with limit:
            return cast("T", await call.result())
    except TimeoutError:
        if not limit.expired():
            raise
        late = step.late()
        attempt.abort()
        raise late from None


def run_limited_here(step: Step[T], seconds: float) -> T:
    """Like `run_limited`, for code without an event loop: the calling thread waits."""
    attempt = _Attempt(step)
    outcome: dict[str, Any] = {}
    done = threading.Event()
    context = contextvars.copy_context()

    def run() -> None:
        try:
            outcome["value"] = context.run(attempt.run)
        except BaseException as error:
            outcome["error"] = error
        done.set()

    threading.Thread(target=run, name=step.name, daemon=True).start()
    try:
        is_done = done.wait(seconds + _GRACE_SECONDS)
    except BaseException:
        attempt.abort()
        raise
    if not is_done:
        late = step.late()
        attempt.abort()
        raise late
    if "error" in outcome:
        raise outcome.pop("error")
    return cast("T", outcome["value"])
