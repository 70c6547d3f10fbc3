"""A program that always does the same: its processor time says how fast this machine is just now.

It does what jobs do: it forks from a process with some megabytes of objects, computes a little in the child, and waits
for its end. On a slower machine, or one whose caches others use, it takes longer by about as much as a job does.
"""

import asyncio
import os
import sys
from typing import Final

FORKS: Final = 40
_PROGRAM: Final = f"""
import json, os
objects = [{{"number": number, "text": str(number)}} for number in range(60_000)]
for _ in range({FORKS}):
    pid = os.fork()
    if pid == 0:
        for one in objects[:20_000]:
            one["number"]
        json.loads(json.dumps(objects[:2_000]))
        os._exit(0)
    os.waitpid(pid, 0)
"""


async def calibrating_seconds() -> float:
    """Run the program, and return the processor time that it has used, its children included, for each fork."""
    return await asyncio.to_thread(_run)


def _run() -> float:
    arguments = [sys.executable, "-I", "-S", "-c", _PROGRAM]
    pid = os.posix_spawn(sys.executable, arguments, {"PATH": os.defpath, "PYTHONHASHSEED": "0"})
    _, status, usage = os.wait4(pid, 0)
    if status:
        raise RuntimeError(f"The calibrating program ended with status {status}.")
    return (usage.ru_utime + usage.ru_stime) / FORKS
