"""Work in a process of its own, a fork of this one, that ends when its time is over."""

from __future__ import annotations

import contextlib
import os
import pickle
import select
import signal
import time
from collections.abc import Callable
from typing import Any, Final, NoReturn

from sdk.compat.migration_hints import refusing

_READ_BYTES: Final = 1 << 16
_GRACE_SECONDS: Final = 1.0


def outcome_of(work: Callable[[], Any], seconds: float) -> Any:
    """What `work` returns or raises. Blocks; what it returns has to be picklable.

    Raises:
        TimeoutError: it took longer. Its process was killed.
        RuntimeError: its process ended by itself, or the exception of `work` can't be pickled.
    """
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        _serve(work, writer, seconds)
    os.close(writer)
    try:
        said = _read(reader, time.monotonic() + seconds)
    finally:
        os.close(reader)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
    if said is None:
        raise TimeoutError(f"The restricted code was stopped, as it ran longer than {seconds:g} s.")
    if not said:
        code = os.waitstatus_to_exitcode(status)
        raise RuntimeError(f"The process of the restricted code ended without a result (exit code {code}).")
    succeeded, value = pickle.loads(said)  # noqa: S301  # written by the fork below; its code reaches no descriptor
    if succeeded:
        return value
    raise value


def _serve(work: Callable[[], Any], writer: int, seconds: float) -> NoReturn:
    try:
        signal.set_wakeup_fd(-1)  # the loop's of the process that this is a fork of
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        # Its own end, even in C code, and even where nobody is left to kill it.
        signal.setitimer(signal.ITIMER_REAL, seconds + _GRACE_SECONDS)
        said = _said(work)
        while said:
            said = said[os.write(writer, said) :]
    finally:
        os._exit(0)


def _said(work: Callable[[], Any]) -> bytes:
    try:
        return pickle.dumps((True, work()))
    except BaseException as error:
        try:
            said = pickle.dumps((False, error))
            pickle.loads(said)  # noqa: S301  # made in the line before
        except Exception:
            return pickle.dumps((False, RuntimeError(f"{type(error).__name__}: {error}")))
        return said


def _read(reader: int, end: float) -> bytes | None:
    """All that is written until the other end is closed; None where that takes too long."""
    news = select.poll()
    news.register(reader, select.POLLIN)
    said = b""
    while news.poll(max(0.0, end - time.monotonic()) * 1000):
        data = os.read(reader, _READ_BYTES)
        if not data:
            return said
        said += data
    return None


__getattr__ = refusing(__name__)
