"""How to call what an author wrote: with or without `meta`, `async def` or plain `def`."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Callable
from typing import Any

from sdk.errors import RegistrationError


@functools.cache
def wants_meta(run: Callable[..., Any], where: str) -> bool:
    """Whether a block's `run` (unbound) takes `meta` after `params` and `context`.

    `where` names the block. Raises `RegistrationError` if it can be called in neither way.
    """
    signature = inspect.signature(run)
    # Three first: with *args both forms work, and an author who writes *args wants all arguments.
    for count in (3, 2):
        try:
            signature.bind(None, *range(count))
        except TypeError:
            continue
        return count == 3 and not _has_an_option_third(signature)
    raise RegistrationError(
        f"run{signature} can't be called with params and context",
        where=where,
        advice="Declare it as run(self, params, context) or run(self, params, context, meta).",
    )


@functools.cache
def needs_forward_result(rollback: Callable[..., Any]) -> bool:
    """Whether a block's `rollback` (unbound) requires `result_from_failed`, as an older form does."""
    try:
        inspect.signature(rollback).bind(None, "params", "context")
    except TypeError:
        return True
    return False


def _has_an_option_third(signature: inspect.Signature) -> bool:
    """Whether the third parameter is the author's own option, not `meta`: `run(self, params, context, dry=False)`."""
    after_context = list(signature.parameters.values())[3:4]
    return any(each.default is not each.empty and each.name != "meta" for each in after_context)


async def call(method: Callable[..., Any], *args: Any, what: str, warn: Callable[[str], None]) -> Any:
    """The result of an author's method. `what` names the block.

    A plain `def` runs in a thread, with the context variables of the job, so it does not hold up the event loop.
    `warn` gets a warning about that. A cancellation does not wait for the thread: nothing in Python can stop it. It
    stops when the process ends.
    """
    if inspect.iscoroutinefunction(method):
        return await method(*args)
    try:
        outcome, error = await asyncio.to_thread(_capture, method, args)
    except asyncio.CancelledError:
        # The thread still runs. Because of it, the worker will have to kill the process.
        warn(_not_async(method, what))
        raise
    if error is None and inspect.isawaitable(outcome):
        return await outcome
    warn(_not_async(method, what))
    if error is not None:
        raise error
    return outcome


def _not_async(method: Callable[..., Any], what: str) -> str:
    name = method.__name__
    parameters = ", ".join(["self", *inspect.signature(method).parameters])
    return (
        f"{what}: {name}() is not async{_place_of(method)}, so it runs in a thread, which can't be cancelled: at a "
        f"time limit its process is killed. Write 'async def {name}({parameters})', and await what takes long: "
        "asyncio.to_thread(function, ...) for what blocks."
    )


def _place_of(method: Callable[..., Any]) -> str:
    code = getattr(inspect.unwrap(method), "__code__", None)
    return f" ({code.co_filename}:{code.co_firstlineno})" if code is not None else ""


def _capture(method: Callable[..., Any], args: tuple[Any, ...]) -> tuple[Any, BaseException | None]:
    # The future of the thread can't hold it: a StopIteration can't be set on an asyncio future, and its
    # awaiter would then wait for ever (CPython before 3.12).
    try:
        return method(*args), None
    except BaseException as error:
        return None, error
