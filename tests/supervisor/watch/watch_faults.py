"""What the machine may lack for a while, just when jobs are looked at."""

import errno
import os
import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import pytest


@contextmanager
def no_thread() -> Iterator[None]:
    """The kernel gives this process no further thread."""

    def refused(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threading.Thread, "start", refused)
        yield


@contextmanager
def no_descriptor() -> Iterator[None]:
    """This process may open nothing more (EMFILE, from the kernel)."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    # None at all: a number that a thread of this process holds just now would be free a moment later.
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


@contextmanager
def no_memory() -> Iterator[None]:
    """The kernel has no memory for what is read from /proc."""

    def refused(*_: Any) -> Any:
        raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(psutil.Process, "memory_full_info", refused)
        patch.setattr(os, "listdir", refused)
        yield
