"""Where a hung child's code is: faulthandler's dump, asked for by a signal and read from shared memory."""

import asyncio
import os
import re
import sys
import time
from dataclasses import dataclass
from typing import Final

from jobrunner.protocol.linux import END_OF_AWAITS, END_OF_AWAITS_AGAIN
from supervisor.launcher.child import Child
from supervisor.launcher.wiring import DUMP_BYTES
from supervisor.watch.long_dump import shortened
from supervisor.watch.whose_code import ROOT, Whose, spellings, whose

_CAP_BYTES: Final = 64 * 1024
"""Of a dump, and of the text that it is decoded to: a byte that is no UTF-8 becomes four characters."""
_LOOK_SECONDS: Final = 0.004
_MOST_PAUSES: Final = 25
"""After so many looks, 0.1 s, what does not grow is taken for whole even if its writer may be at it."""
_MAIN_STACK_LOOKS: Final = 37
"""It is awaited for 0.15 s at most: a thread that Python knows nothing of answers nothing."""
_AWAITS_SECONDS: Final = 0.15
"""How long what the tasks await is waited for. It comes within a millisecond, unless the child is stopped."""
_FRAME: Final = re.compile(
    r'^  File "(?P<file>.{0,4096})", line (?P<line>\d{1,9}) in (?P<function>.*)', re.MULTILINE
)
"""At the beginning of a line alone, where faulthandler writes it. A job may write into its dump itself: tried at every
place of one long line, the search takes a second. No path of Linux is longer."""
_CRASH: Final = re.compile(r"^Fatal Python error: ", re.MULTILINE)
"""What faulthandler begins the dump of a fatal signal with."""
_IDLE: Final = re.compile(
    r'selectors\.py", line \d+ in select\n'
    r'(?:  File "[^"]*/jobrunner/loop_waits\.py", line \d+ in _counted\n)?'
    r'  File "[^"]*/asyncio/base_events\.py", line \d+ in _run_once'
)
_MAIN: Final = tuple(f"{directory}job.py" for directory in spellings(os.path.join(ROOT, "jobrunner")))
"""What runs the block, below it on the stack of the child's main thread."""
_CURRENT: Final = ("Current thread ", "Stack (most recent ")
"""How the thread is headed that took the signal, beside others or alone: the main one, or the one that crashed."""
_AWAITING: Final = "Awaiting in task "
"""What the section of a task begins with (`jobrunner.awaits`)."""
_MORE_THREADS: Final = "\n...\n"
"""What faulthandler writes after a hundred threads."""
_BETWEEN: Final = re.compile(r"\n\s*\n|\n(?=Stack \()")
"""What parts sections. faulthandler writes no empty line before the stack of one thread."""


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


async def take_dump_in_turn(child: Child, *, for_a_person: bool = False) -> str:
    """Do as `take_dump` while the job goes on: one after the other, and no part of the evidence of its end.

    Whoever ends the job waits for no turn. It cancels those who do.
    """
    async with child.dump_turn:
        start = dumped_bytes(child)
        dump = await take_dump(child, for_a_person=for_a_person)
        leave_out_since(child, start)
        return dump


async def take_dump(child: Child, *, for_a_person: bool = False) -> str:
    """Ask for the stack of every thread and return it as it is once it is whole; the caller bounds the wait.

    It works while C code holds the GIL, as faulthandler writes inside the signal handler. It does not while the
    process is stopped or blocks every signal: then this waits until it is cancelled. Where nothing would answer, it is
    empty at once.
    """
    before = dumped_bytes(child)
    if not child.ask_for_stack():
        return ""
    await _until_whole(child, before)
    if _lacks_main_thread(_dump_since(child, before)):
        before_main = dumped_bytes(child)
        if child.ask_for_stack(of_main=True):
            await _until_whole(child, before_main, _MAIN_STACK_LOOKS)
    if _is_idle(_dump_since(child, before)):
        await _take_awaits(child, before, for_a_person=for_a_person)
    return _dump_since(child, before)


async def _until_whole(child: Child, before: int, most_looks: int = sys.maxsize) -> None:
    """Wait until the child has written a stack behind `before`, and is done with it.

    A pause says nothing: on a busy machine the child is taken off its processor amid a line, for many milliseconds.
    """
    size, pauses = before, 0
    for _ in range(most_looks):
        await asyncio.sleep(_LOOK_SECONDS)
        now = dumped_bytes(child)
        pauses = pauses + 1 if now == size else 0
        size = now
        if now > before and pauses and (pauses >= _MOST_PAUSES or not child.may_be_writing_stack()):
            return


async def _take_awaits(child: Child, before: int, *, for_a_person: bool) -> None:
    child.ask_for_awaits(for_a_person=for_a_person)
    end = END_OF_AWAITS_AGAIN if for_a_person else END_OF_AWAITS
    latest = time.monotonic() + _AWAITS_SECONDS
    while end not in _dump_since(child, before):
        await asyncio.sleep(_LOOK_SECONDS)
        if time.monotonic() > latest:
            return


def dumped_bytes(child: Child) -> int:
    """Return where in the dump the child writes next. Its size says nothing: that never changes.

    The position is the child's as well, and a block can move it: then a stack is missing, and nothing else happens.
    """
    return os.lseek(child.dump, 0, os.SEEK_CUR)


def leave_out_what_was_told(child: Child) -> None:
    """Have the evidence of the end begin after what has been dumped so far, and make room where that is much."""
    child.dump_start = dumped_bytes(child)
    if child.dump_start > DUMP_BYTES // 2:
        child.dump_start = os.lseek(child.dump, 0, os.SEEK_SET)


def leave_out_since(child: Child, start: int) -> None:
    """Do as `leave_out_what_was_told`, unless a crash has been dumped since `start`: that is evidence."""
    if not _CRASH.search(_dump_since(child, start)):
        leave_out_what_was_told(child)


def _dump_since(child: Child, start: int) -> str:
    length = min(max(dumped_bytes(child) - start, 0), DUMP_BYTES)
    dump = shortened(os.pread(child.dump, length, start), _CAP_BYTES)
    return dump.decode(errors="backslashreplace")[:_CAP_BYTES]


def _lacks_main_thread(dump: str) -> bool:
    """Whether faulthandler has told of as many threads as it tells of, and the main one, the oldest, is not among them.

    Of one thread it tells by another signal. Not of all at the same time: while it writes, it answers no other.
    """
    return _MORE_THREADS in dump and not any(map(_is_main, _sections(dump)))


def _is_idle(dump: str) -> bool:
    """Whether the job's event loop waits, so that no stack shows where its tasks are."""
    return any(_is_main(section) and _IDLE.search(section) for section in _sections(dump))


def read_stack(child: Child) -> str:
    """Return what was written so far: awaits at a cancellation, a stack that was asked for, or that of a crash."""
    return tidy(_dump_since(child, child.dump_start))


def main_thread_of(dump: str) -> list[Frame]:
    """Return what the child's main thread does, innermost first, without this worker's own frames below it."""
    for section in _sections(dump):
        if _is_main(section):
            lines = map(_FRAME.match, _above_worker(section).split("\n"))
            return [Frame(each["file"], int(each["line"]), each["function"]) for each in lines if each]
    return []


def _is_main(section: str) -> bool:
    return any(f'File "{file}"' in section for file in _MAIN)


def _sections(stack: str) -> list[str]:
    return [section for section in _BETWEEN.split(stack.strip()) if _FRAME.search(section)]


def tidy(stack: str) -> str:
    """Drop what no author can use: this worker's own frames below the block, and the list of extension modules.

    Threads of which nothing remains are dropped too, unless that is all there is. What is there twice, word for word,
    is told once: a person's answer may come when the job's end has been asked for its own already. A last line that is
    not whole is dropped: it may hold half a secret, and a mask finds that at the end of a text only.
    """
    sections = _most_telling_first(stack[: stack.rfind("\n") + 1])
    kept = [text for section in sections if (text := _above_worker(section))]
    return "\n".join(kept or sections)


def _most_telling_first(stack: str) -> list[str]:
    """Return the sections in the order in which they help an author: readers may see no more than the beginning.

    faulthandler begins with the newest thread and ends with the main one, as CPython puts each new thread at the head
    of its list. Some idle threads of a pool would be all that a result shows. The first task is told before the main
    thread: it is the job's own, and was written when the job was cancelled, or because the main thread waits for it.
    """
    sections = list(dict.fromkeys(_sections(stack)))
    crash = _CRASH.search(stack)
    after_crash = _sections(stack[crash.end() :]) if crash else []
    crashed = next((section for section in after_crash if section.startswith(_CURRENT)), None)
    awaited = next((section for section in sections if section.startswith(_AWAITING)), None)

    def is_told_after(section: str) -> tuple[bool, ...]:
        owners = _owners(section)
        return (
            section != crashed,
            section != awaited,
            not _is_main(section),
            # Of a deep recursion faulthandler leaves out the outermost frames, by which the main thread is known.
            not section.startswith(_CURRENT),
            not section.startswith(_AWAITING),
            # What is at work before what waits for work.
            Whose.AUTHOR not in owners,
            Whose.INSTALLED not in owners,
        )

    return sorted(sections, key=is_told_after)


def is_between_steps(dump: str) -> bool:
    """Whether the job's event loop was between two steps of its tasks, so that no thread and no task shows a place."""
    section = next(filter(_is_main, _sections(dump)), "")
    turns = re.search(r"asyncio/base_events\.py\", line \d+ in _run_once$", section, re.MULTILINE)
    return turns is not None and not _shows_author(section) and "\nAwaiting in task " not in dump


def _shows_author(section: str) -> bool:
    """Whether the author's code, or that of a package, is on the stack."""
    return not _owners(section).isdisjoint((Whose.AUTHOR, Whose.INSTALLED))


def _owners(section: str) -> set[Whose]:
    return {whose(match["file"]) for match in _FRAME.finditer(section)}


def every_thread(dump: str) -> str:
    """Return all threads of a dump, and what tasks await; of those that run the block, without this worker's frames.

    For a person who looks at a job that runs: that a thread waits for work is news too.
    """
    return "\n\n".join(_above_worker(section) or section for section in _sections(dump))


def _above_worker(section: str) -> str:
    heading, *lines = section.split("\n")
    files = [match["file"] if (match := _FRAME.match(line)) else "" for line in lines]
    kept = lines[: _length_above_worker(files)]
    return "\n".join([heading, *kept]) if kept else ""


def _length_above_worker(files: list[str]) -> int:
    """Return how many frames are the block's: up to the outermost that is neither ours nor Python's.

    The block may have called something of ours, which is then above it. Where there is no such frame, all above ours.
    """
    end = next((number for number, file in enumerate(files) if file in _MAIN), len(files))
    owners = [whose(file) if file else None for file in files[:end]]
    theirs = [n for n, owner in enumerate(owners) if owner in (Whose.AUTHOR, Whose.INSTALLED)]
    if theirs:
        return theirs[-1] + 1
    return next((n for n, owner in enumerate(owners) if owner is Whose.WORKER), end)


def innermost(stack: str) -> str | None:
    """Return `file:line function` of the innermost frame of the author's code, for a table or a headline.

    Where there is none, that of an installed package, and else whatever is on top.
    """
    frames = [match for line in stack.split("\n") if (match := _FRAME.match(line))]
    owners = [whose(frame["file"]) for frame in frames]
    chosen = next((owner for owner in (Whose.AUTHOR, Whose.INSTALLED) if owner in owners), None)
    if not frames:
        return None
    frame = frames[owners.index(chosen)] if chosen else frames[0]
    return f"{os.path.basename(frame['file'])}:{frame['line']} {frame['function']}"
