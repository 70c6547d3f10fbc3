"""Pools whose threads all start at the beginning: if the machine refuses a thread later, the work still goes on."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from supervisor.errors import StartRefusedError
from supervisor.process.shortage import explain

END_SECONDS: Final = 2.0
"""How long the end waits for threads that a disk holds up."""


def started_pool(threads: int, name: str) -> ThreadPoolExecutor:
    """Return a pool of so many threads, which all run. Raises `StartRefusedError` if one can't be started.

    An ordinary pool starts a thread when it is first needed. If that fails, `submit` raises. But another thread may
    still do the submitted work, and nobody waits for it.
    """
    pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
    all_there = threading.Event()
    try:
        # Each task holds its thread until the last thread has started, so that each task gets its own.
        for _ in range(threads):
            pool.submit(all_there.wait)
    except RuntimeError as error:
        pool.shutdown(wait=False)
        raise StartRefusedError(f"The threads of this worker can't be started: {explain(error)}") from error
    finally:
        all_there.set()
    return pool


async def end_pool(pool: ThreadPoolExecutor, timeout_seconds: float) -> None:
    """End a pool's threads, and wait for that at most so long: a thread that a disk holds up can't be ended."""
    pool.shutdown(wait=False, cancel_futures=True)
    end = time.monotonic() + timeout_seconds
    while unended_threads() and time.monotonic() < end:  # noqa: ASYNC110  # a thread has no future that tells of its end
        await asyncio.sleep(0.002)


async def wait_in_thread(work: Callable[[], object], timeout_seconds: float) -> None:
    """Do `work` in a thread, and wait for it, but at most so long: a disk that hangs must not hold up the end.

    Raises what `work` raises in that time.
    """
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(timeout_seconds):
            await asyncio.to_thread(work)


def unended_threads() -> list[str]:
    """Return the names of the threads that the end of Python would wait for, without a limit."""
    main = threading.main_thread()
    return [thread.name for thread in threading.enumerate() if thread is not main and not thread.daemon]
