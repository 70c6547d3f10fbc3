"""Runs work in a fork of this process, for a limited time."""

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
_LENGTH_BYTES: Final = 8
_GRACE_SECONDS: Final = 1.0


def outcome_of(work: Callable[[], Any], seconds: float) -> Any:
    """What `work` returns or raises. Blocks. A returned value must be picklable.

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
        said = _read(reader, pid, time.monotonic() + seconds)
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
    succeeded, value = pickle.loads(said)  # noqa: S301  # written by the fork below; its code can't reach the pipe
    if succeeded:
        return value
    raise value


def _serve(work: Callable[[], Any], writer: int, seconds: float) -> NoReturn:
    try:
        signal.set_wakeup_fd(-1)  # it belongs to the event loop of the parent
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        # The fork ends itself then, even in C code, and even if nobody is left to kill it.
        signal.setitimer(signal.ITIMER_REAL, seconds + _GRACE_SECONDS)
        said = _said(work)
        said = len(said).to_bytes(_LENGTH_BYTES, "big") + said
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
            pickle.loads(said)  # noqa: S301  # made in the line above
        except Exception:
            return pickle.dumps((False, RuntimeError(f"{type(error).__name__}: {error}")))
        return said


def _read(reader: int, pid: int, end: float) -> bytes | None:
    """What the process has sent: empty if it ended before it had sent all, None if either took too long.

    It does not wait for the end of the pipe: a process that another thread forks also holds the other end.
    """
    process = os.pidfd_open(pid)
    try:
        return _read_from(reader, process, end)
    finally:
        os.close(process)


def _read_from(reader: int, process: int, end: float) -> bytes | None:
    os.set_blocking(reader, False)
    news = select.poll()
    for descriptor in (reader, process):
        news.register(descriptor, select.POLLIN)
    said = bytearray()
    while news.poll(max(0.0, end - time.monotonic()) * 1000):
        try:
            data = os.read(reader, _READ_BYTES)
        except BlockingIOError:
            return b""  # poll reported the end of the process, and everything that it wrote was read
        if not data:
            return b""
        said += data
        length = int.from_bytes(said[:_LENGTH_BYTES], "big")
        if len(said) == _LENGTH_BYTES + length:
            return bytes(said[_LENGTH_BYTES:])
    return None


__getattr__ = refusing(__name__)
