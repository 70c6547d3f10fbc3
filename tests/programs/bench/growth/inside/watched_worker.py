"""`python -m watched_worker`: the worker, with a clock on its event loop that writes down when the loop was late.

The clock looks every two milliseconds. Whenever it comes too late it appends a line to `BENCH_HOLDS_FILE`: the time
(CLOCK_MONOTONIC), by how many seconds, and how much processor time the process has used since the look before.
Nothing in the worker's own code knows of it. This file lies in a directory of its own, so that it can be started
beside the code of another version too.
"""

import asyncio
import os
import sys
import time
from typing import Any

TICK_SECONDS = 0.002
SHORTEST_SECONDS = 0.002
"""What is late by less is the kernel's, not the loop's."""

_run_forever = asyncio.BaseEventLoop.run_forever


def _watched(loop: asyncio.BaseEventLoop) -> Any:
    file = os.open(
        os.environ["BENCH_HOLDS_FILE"], os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600
    )

    def tick(due: float, used_before: float) -> None:
        now, used = loop.time(), time.process_time()
        if now - due > SHORTEST_SECONDS:
            os.write(file, f"{now:.6f} {now - due:.6f} {used - used_before:.6f}\n".encode())
        loop.call_later(TICK_SECONDS, tick, now + TICK_SECONDS, used)

    loop.call_soon(tick, loop.time() + TICK_SECONDS, time.process_time())
    return _run_forever(loop)


if __name__ == "__main__":
    asyncio.BaseEventLoop.run_forever = _watched
    from supervisor.cli import main

    sys.exit(main())
