"""Functions that run in a thread. The thread begins at the call."""

from __future__ import annotations

import asyncio
import functools
import sys
import warnings
from collections.abc import Callable, Generator
from typing import Any, ParamSpec, TypeVar, cast

from sdk.compat.migration_hints import refusing
from sdk.concurrency.tasks import await_at_the_end
from sdk.concurrency.threads import ThreadCall
from sdk.unawaited import CallNotAwaitedWarning

P = ParamSpec("P")
R = TypeVar("R")


def run_in_thread(fn: Callable[P, R]) -> Callable[P, asyncio.Future[R]]:
    """Make `fn` run in a thread of its own, which begins at the call, whether or not the caller awaits it.

    The call returns a future with what `fn` returns or raises. It raises `RuntimeError` if no event loop runs. If you
    cancel the future, the thread does not stop: it goes on until `fn` returns or the job ends.

    As with `sdk.concurrency.run_in_thread`, up to 128 run at once, and each sees the caller's context variables. A
    block that succeeds waits for all its calls. It gets a warning for those that it did not await.
    """
    if isinstance(fn, staticmethod | classmethod):
        return cast("Callable[P, asyncio.Future[R]]", type(fn)(run_in_thread(fn.__func__)))
    name = getattr(fn, "__qualname__", None) or repr(fn)

    @functools.wraps(fn)
    def call(*args: P.args, **kwargs: P.kwargs) -> asyncio.Future[R]:
        caller = sys._getframe(1)
        place = CallNotAwaitedWarning(name, caller.f_code.co_filename, caller.f_lineno)
        return _BegunCall(ThreadCall(functools.partial(fn, *args, **kwargs), name), place)

    return call


class _BegunCall(asyncio.Future[R]):
    """What a call returns. It knows whether the block has awaited it, or asked it for anything."""

    _was_asked = True

    def __init__(self, call: ThreadCall, warning: CallNotAwaitedWarning) -> None:
        super().__init__(loop=call.loop)
        self._warning = warning
        self._was_asked = False
        call.ended.add_done_callback(functools.partial(self._settle, call))
        super().add_done_callback(functools.partial(_abandon, call))
        await_at_the_end(call.ended, warning.name)

    def _settle(self, call: ThreadCall, ended: asyncio.Future[None]) -> None:
        if super().done():
            return
        if ended.cancelled():
            super().cancel()
        elif (error := call.take_error()) is not None:
            super().set_exception(error)
        else:
            super().set_result(call.value)

    def __await__(self) -> Generator[Any, None, R]:
        self._was_asked = True
        return super().__await__()

    __iter__ = __await__

    # Callers that wait without `await` (asyncio.gather, asyncio.wait) use this method.
    def add_done_callback(self, *args: Any, **kwargs: Any) -> None:
        self._was_asked = True
        super().add_done_callback(*args, **kwargs)

    def cancel(self, msg: Any | None = None) -> bool:
        self._was_asked = True
        return super().cancel(msg)

    def cancelled(self) -> bool:
        self._was_asked = True
        return super().cancelled()

    def done(self) -> bool:
        self._was_asked = True
        return super().done()

    def exception(self) -> BaseException | None:
        self._was_asked = True
        return super().exception()

    def result(self) -> R:
        self._was_asked = True
        return super().result()

    def __del__(self) -> None:
        if not self._was_asked:
            place = self._warning
            warnings.warn_explicit(place, None, place.file, place.line)
        super().__del__()  # reports an exception that nobody has read


def _abandon(call: ThreadCall, future: asyncio.Future[Any]) -> None:
    if asyncio.Future.cancelled(future):  # not the method: that counts as a question of the author's
        call.abandon()


__getattr__ = refusing(__name__)
