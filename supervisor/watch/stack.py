"""Where a hung child's code is: faulthandler's dump, asked for by a signal and read from shared memory."""

import asyncio
import os
import re
from typing import Final

from supervisor.launcher.child import Child

_CAP_BYTES: Final = 64 * 1024
_LOOK_SECONDS: Final = 0.004
_FRAME: Final = re.compile(r'  File "(?P<file>.*)", line (?P<line>\d+) in (?P<function>.*)')
_FRAME_ANYWHERE: Final = re.compile(_FRAME.pattern, re.MULTILINE)
_WORKER: Final = re.compile(r'"[^"]*/(jobrunner|sdk|multiprocess)/[a-z_]+\.py"')
_RUNTIME: Final = re.compile(r"(/lib/python3\.\d+/(?!site-packages)|/jobrunner/|/sdk/|<frozen )")


async def take_stack(child: Child) -> str:
    """Ask for the stack of every thread and return it once it is whole; the caller bounds the wait.

    It works while C code holds the GIL, as faulthandler writes inside the signal handler. It does not while the
    process is stopped or blocks every signal: then this waits until it is cancelled.
    """
    before = os.fstat(child.dump).st_size
    child.ask_for_stack()
    size = before
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        now = os.fstat(child.dump).st_size
        if now > before and now == size:
            return read_stack(child)
        size = now


def read_stack(child: Child) -> str:
    """Return what was written so far: awaits at a cancellation, a stack that was asked for, or that of a crash."""
    return tidy(os.pread(child.dump, _CAP_BYTES, child.dump_start).decode(errors="backslashreplace"))


def tidy(stack: str) -> str:
    """Drop what no author can use: this worker's own frames below the block, and the list of extension modules.

    Threads of which nothing remains are dropped too, unless that is all there is.
    """
    sections = [section for section in re.split(r"\n\s*\n", stack.strip()) if _FRAME_ANYWHERE.search(section)]
    kept = [text for section in sections if (text := _above_worker(section))]
    return "\n".join(kept or sections)


def _above_worker(section: str) -> str:
    heading, *frames = section.splitlines()
    lines: list[str] = []
    for line in frames:
        if _WORKER.search(line):
            break
        lines.append(line)
    return "\n".join([heading, *lines]) if lines else ""


def innermost(stack: str) -> str | None:
    """Return ``file:line function`` of the innermost frame of the author's code, for a table or a headline.

    Frames of Python, of this worker and of `asyncio` are passed over where there are others.
    """
    frames = [match for line in stack.splitlines() if (match := _FRAME.match(line))]
    chosen = next(
        (frame for frame in frames if not _RUNTIME.search(frame["file"])), frames[0] if frames else None
    )
    if chosen is None:
        return None
    return f"{os.path.basename(chosen['file'])}:{chosen['line']} {chosen['function']}"
