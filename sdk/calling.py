"""Calling what an author wrote: with or without ``meta``, ``async def`` or plain ``def``."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Callable
from typing import Any

from sdk.errors import RegistrationError


@functools.cache
def wants_meta(run: Callable[..., Any], where: str) -> bool:
    """Whether a block's ``run`` (unbound) takes ``meta`` after ``params`` and ``context``.

    ``where`` names the block. Raises ``RegistrationError`` when it can be called in neither way.
    """
    signature = inspect.signature(run)
    # Three first: with *args either would do, and whoever writes *args wants all there is.
    for count in (3, 2):
        try:
            signature.bind(None, *range(count))
        except TypeError:
            continue
        return count == 3
    raise RegistrationError(
        f"run{signature} can't be called",
        where=where,
        advice="Declare it as run(self, params, context) or run(self, params, context, meta).",
    )


async def call(method: Callable[..., Any], *args: Any, warn: Callable[[str], None]) -> Any:
    """The result of an author's method.

    A plain ``def`` runs in a thread, so that it does not hold up the event loop, and is warned of. When
    cancelled, the thread is not waited for: nothing in Python can stop it; the end of the process does.
    """
    if inspect.iscoroutinefunction(method):
        return await method(*args)
    outcome, error = await asyncio.to_thread(_capture, method, args)
    if error is not None:
        raise error
    if inspect.isawaitable(outcome):
        return await outcome
    warn(
        f"{method.__qualname__} is not async: it runs in a thread, which can't be cancelled. "
        "Declare it as 'async def'."
    )
    return outcome


def _capture(method: Callable[..., Any], args: tuple[Any, ...]) -> tuple[Any, BaseException | None]:
    # Not left to the future of the thread: a StopIteration can't be set on an asyncio future, whose
    # awaiter would then wait for ever (CPython before 3.12).
    try:
        return method(*args), None
    except BaseException as error:
        return None, error
