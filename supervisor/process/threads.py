"""Pools whose threads are there from the beginning: a machine that refuses a thread later can't stop the work."""

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
"""How long threads that a disk holds up are waited for at the end."""


def started_pool(threads: int, name: str) -> ThreadPoolExecutor:
    """Return a pool of so many threads, all of which run. Raises `StartRefusedError` when one can't be started.

    An ordinary pool starts a thread when it is first needed. If that fails then, `submit` raises, and what was
    submitted may be done all the same, by another thread, with nobody waiting for it.
    """
    pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
    all_there = threading.Event()
    try:
        # Each holds its thread until the last is there, so that each gets one of its own.
        for _ in range(threads):
            pool.submit(all_there.wait)
    except RuntimeError as error:
        pool.shutdown(wait=False)
        raise StartRefusedError(f"The threads of this worker can't be started: {explain(error)}") from error
    finally:
        all_there.set()
    return pool


async def end_pool(pool: ThreadPoolExecutor, timeout_seconds: float) -> None:
    """End a pool's threads, and wait for that no longer than this: one that a disk holds up can't be ended."""
    pool.shutdown(wait=False, cancel_futures=True)
    end = time.monotonic() + timeout_seconds
    while unended_threads() and time.monotonic() < end:  # noqa: ASYNC110  # a thread has no future that tells of its end
        await asyncio.sleep(0.002)


async def wait_in_thread(work: Callable[[], object], timeout_seconds: float) -> None:
    """Do `work` in a thread, and wait for it, but at most so long: a disk that hangs must keep nobody from the end.

    Raises what it raises in that time.
    """
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(timeout_seconds):
            await asyncio.to_thread(work)


def unended_threads() -> list[str]:
    """Return the names of the threads that Python's own end would wait for, however long that takes."""
    main = threading.main_thread()
    return [thread.name for thread in threading.enumerate() if thread is not main and not thread.daemon]
