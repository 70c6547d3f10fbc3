"""Where a hung child's code is: faulthandler's dump, asked for by a signal and read from shared memory."""

import asyncio
import os
import re
import time
from dataclasses import dataclass
from typing import Final

from jobrunner.protocol.linux import END_OF_AWAITS
from supervisor.launcher.child import Child

_CAP_BYTES: Final = 64 * 1024
_LOOK_SECONDS: Final = 0.004
_AWAITS_SECONDS: Final = 0.15
"""How long what the tasks await is waited for. It comes within a millisecond, unless the child is stopped."""
_FRAME: Final = re.compile(r'  File "(?P<file>.*)", line (?P<line>\d+) in (?P<function>.*)')
_FRAME_ANYWHERE: Final = re.compile(_FRAME.pattern, re.MULTILINE)
_WORKER: Final = re.compile(r'"[^"]*/(jobrunner|sdk(/concurrency)?|multiprocess)/[a-z_]+\.py"')
_IDLE: Final = re.compile(
    r'selectors\.py", line \d+ in select\n  File "[^"]*/asyncio/base_events\.py", line \d+ in _run_once'
)
_MAIN: Final = "/jobrunner/job.py"
_RUNTIME: Final = re.compile(r"(/lib/python3\.\d+/(?!site-packages)|/jobrunner/|/sdk/|<frozen )")


@dataclass(frozen=True, slots=True)
class Frame:
    """One line of a stack."""

    file: str
    line: int
    function: str


async def take_stack(child: Child) -> str:
    """Ask for the stack of every thread and return it, tidied, with what was dumped before it.

    See `take_dump`.
    """
    await take_dump(child)
    return read_stack(child)


async def take_dump(child: Child) -> str:
    """Ask for the stack of every thread and return it as it is once it is whole; the caller bounds the wait.

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
            break
        size = now
    if _is_idle(_dump_since(child, before)):
        await _take_awaits(child, before)
    return _dump_since(child, before)


async def _take_awaits(child: Child, before: int) -> None:
    child.ask_for_awaits()
    latest = time.monotonic() + _AWAITS_SECONDS
    while END_OF_AWAITS not in _dump_since(child, before):
        await asyncio.sleep(_LOOK_SECONDS)
        if time.monotonic() > latest:
            return


def _dump_since(child: Child, start: int) -> str:
    return os.pread(child.dump, _CAP_BYTES, start).decode(errors="backslashreplace")


def _is_idle(dump: str) -> bool:
    """Whether the job's event loop waits, so that no stack shows where its tasks are."""
    return any(_MAIN in section and _IDLE.search(section) for section in _sections(dump))


def read_stack(child: Child) -> str:
    """Return what was written so far: awaits at a cancellation, a stack that was asked for, or that of a crash."""
    return tidy(os.pread(child.dump, _CAP_BYTES, child.dump_start).decode(errors="backslashreplace"))


def main_thread_of(dump: str) -> list[Frame]:
    """Return what the child's main thread does, innermost first, without this worker's own frames below it."""
    for section in _sections(dump):
        if _MAIN in section:
            lines = map(_FRAME.match, _above_worker(section).splitlines())
            return [Frame(each["file"], int(each["line"]), each["function"]) for each in lines if each]
    return []


def _sections(stack: str) -> list[str]:
    return [section for section in re.split(r"\n\s*\n", stack.strip()) if _FRAME_ANYWHERE.search(section)]


def tidy(stack: str) -> str:
    """Drop what no author can use: this worker's own frames below the block, and the list of extension modules.

    Threads of which nothing remains are dropped too, unless that is all there is.
    """
    sections = _sections(stack)
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
