"""Where a hung child's code is: it asks for faulthandler's dump by a signal, and reads it from shared memory."""

import asyncio
import itertools
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
"""The cap of a dump, and of its decoded text: a byte that is not UTF-8 becomes four characters."""
_LOOK_SECONDS: Final = 0.004
_MOST_PAUSES: Final = 25
"""After so many looks, 0.1 s, a dump that does not grow counts as complete even if its writer may still be busy."""
_MAIN_STACK_LOOKS: Final = 37
"""So many looks, 0.15 s, after which none comes if a thread has taken the signal: one that Python does not know answers
nothing."""
_AWAITS_SECONDS: Final = 0.15
"""How long it waits for what the tasks await. That comes within a millisecond, unless the child is stopped."""
_FRAME: Final = re.compile(
    r'^  File "(?P<file>.{0,4096})", line (?P<line>\d{1,9}) in (?P<function>.*)', re.MULTILINE
)
"""Only at the beginning of a line, where faulthandler writes it. A job may write into its dump itself: if every
place of one long line were tried, the search would take a second. No path of Linux is longer."""
_CRASH: Final = re.compile(r"^Fatal Python error: ", re.MULTILINE)
"""faulthandler begins the dump of a fatal signal with this."""
_IDLE: Final = re.compile(
    r'selectors\.py", line \d+ in select\n'
    r'(?:  File "[^"]*/jobrunner/loop_waits\.py", line \d+ in _counted\n)?'
    r'  File "[^"]*/asyncio/base_events\.py", line \d+ in _run_once'
)
_MAIN: Final = tuple(f"{directory}job.py" for directory in spellings(os.path.join(ROOT, "jobrunner")))
"""The file that runs the block. It is below the block on the stack of the child's main thread."""
_CURRENT: Final = ("Current thread ", "Stack (most recent ")
"""The heading of the thread that took the signal, beside others or alone: the main thread, or the one that crashed."""
_AWAITING: Final = "Awaiting in task "
"""A task's section begins with this (`jobrunner.awaits`)."""
_MORE_THREADS: Final = "\n...\n"
"""faulthandler writes this after a hundred threads."""
_BETWEEN: Final = re.compile(r"\n\s*\n|\n(?=Stack \()")
"""Separates sections. faulthandler writes no empty line before the stack of one thread."""


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


async def take_dump(child: Child, *, for_a_person: bool = False, main_only: bool = False) -> str:
    """Ask for the stack of every thread and return it when it is complete; the caller limits the wait.

    faulthandler reads the stacks of threads that run meanwhile, and may crash the job by that. If the job is to go on,
    use `supervisor.watch.running_stack`. `main_only`: only the main thread's stack, which is safe; if the event loop
    waits, also those of threads that work, because Python writes them then.

    It works while C code holds the GIL, because faulthandler writes inside the signal handler. It does not work while
    the process is stopped or blocks every signal: then this waits until it is cancelled. If nothing would answer, the
    result is empty at once.
    """
    before = dumped_bytes(child)
    if not child.ask_for_stack(of_main=main_only):
        return ""
    await _until_whole(child, before)
    if not main_only and _lacks_main_thread(_dump_since(child, before)):
        before_main = dumped_bytes(child)
        if child.ask_for_stack(of_main=True):
            await _until_whole(child, before_main, _MAIN_STACK_LOOKS)
    if _is_idle(_dump_since(child, before)):
        await _take_awaits(child, before, for_a_person=for_a_person, with_threads=main_only)
    return _dump_since(child, before)


async def _until_whole(child: Child, before: int, most_looks: int = sys.maxsize) -> None:
    """Wait until the child has written a stack after `before`, and has finished it.

    A pause proves nothing: on a busy machine the child may lose its processor in the middle of a line, for many
    milliseconds. After `most_looks` it does not wait for a stack that is not begun, unless the child must run first.
    """
    size, pauses = before, 0
    for look in itertools.count(1):
        await asyncio.sleep(_LOOK_SECONDS)
        now = dumped_bytes(child)
        pauses = pauses + 1 if now == size else 0
        size = now
        if now > before and pauses and (pauses >= _MOST_PAUSES or not child.may_be_writing_stack()):
            return
        if look >= most_looks and now == before and not child.owes_stack():
            return


async def _take_awaits(child: Child, before: int, *, for_a_person: bool, with_threads: bool) -> None:
    child.ask_for_awaits(for_a_person=for_a_person, with_threads=with_threads)
    end = END_OF_AWAITS_AGAIN if for_a_person else END_OF_AWAITS
    latest = time.monotonic() + _AWAITS_SECONDS
    while end not in _dump_since(child, before):
        await asyncio.sleep(_LOOK_SECONDS)
        if time.monotonic() > latest:
            return


def dumped_bytes(child: Child) -> int:
    """Return where in the dump the child writes next. The dump's size does not show it: it never changes.

    The child has the same position, and a block can move it. Then a stack is missing, and nothing else happens.
    """
    return os.lseek(child.dump, 0, os.SEEK_CUR)


def leave_out_what_was_told(child: Child) -> None:
    """Let the evidence of the end begin after the dump so far. If the dump is long, write over it from now on."""
    child.dump_start = dumped_bytes(child)
    if child.dump_start > DUMP_BYTES // 2:
        child.dump_start = os.lseek(child.dump, 0, os.SEEK_SET)


def leave_out_since(child: Child, start: int) -> None:
    """Same as `leave_out_what_was_told`, unless a crash was dumped since `start`: that is evidence."""
    if not _CRASH.search(_dump_since(child, start)):
        leave_out_what_was_told(child)


def _dump_since(child: Child, start: int) -> str:
    length = min(max(dumped_bytes(child) - start, 0), DUMP_BYTES)
    dump = shortened(os.pread(child.dump, length, start), _CAP_BYTES)
    return dump.decode(errors="backslashreplace")[:_CAP_BYTES]


def _lacks_main_thread(dump: str) -> bool:
    """Whether faulthandler has written its maximum number of threads, without the main thread, which is the oldest.

    Another signal asks for one thread only. Don't send both at once: while faulthandler writes, it answers no other.
    """
    return _MORE_THREADS in dump and not any(map(_is_main, _sections(dump)))


def _is_idle(dump: str) -> bool:
    """Whether the job's event loop waits. Then no stack shows where its tasks are."""
    return any(_is_main(section) and _IDLE.search(section) for section in _sections(dump))


def read_stack(child: Child) -> str:
    """Return what was written so far: awaits at a cancellation, a stack on request, or the stack of a crash."""
    return tidy(_dump_since(child, child.dump_start))


def main_thread_of(dump: str) -> list[Frame]:
    """Return the stack of the child's main thread, innermost first, without this worker's own frames below it."""
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
    """Remove what no author can use: this worker's own frames below the block, and the list of extension modules.

    Threads without remaining frames are removed too, unless nothing else is left. Identical sections are shown once: a
    person's answer may come when the job's end has asked for its own already. An incomplete last line is removed: it
    may hold half a secret, and a mask finds that only at the end of a text.
    """
    sections = _most_telling_first(stack[: stack.rfind("\n") + 1])
    kept = [text for section in sections if (text := _above_worker(section))]
    return "\n".join(kept or sections)


def _most_telling_first(stack: str) -> list[str]:
    """Return the sections, the most helpful ones for an author first: readers may see only the beginning.

    faulthandler begins with the newest thread and ends with the main one, because CPython puts each new thread at the
    head of its list. A result would then show only some idle threads of a pool. The first task comes before the main
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
            # In a deep recursion faulthandler leaves out the outermost frames, which identify the main thread.
            not section.startswith(_CURRENT),
            not section.startswith(_AWAITING),
            # Threads that work come before threads that wait for work.
            Whose.AUTHOR not in owners,
            Whose.INSTALLED not in owners,
        )

    return sorted(sections, key=is_told_after)


def is_between_steps(dump: str) -> bool:
    """Whether the job's event loop was between two steps of its tasks. Then no thread and no task shows a place."""
    section = next(filter(_is_main, _sections(dump)), "")
    turns = re.search(r"asyncio/base_events\.py\", line \d+ in _run_once$", section, re.MULTILINE)
    return turns is not None and not _shows_author(section) and "\nAwaiting in task " not in dump


def _shows_author(section: str) -> bool:
    """Whether code of the author, or of a package, is on the stack."""
    return not _owners(section).isdisjoint((Whose.AUTHOR, Whose.INSTALLED))


def _owners(section: str) -> set[Whose]:
    return {whose(match["file"]) for match in _FRAME.finditer(section)}


def every_thread(dump: str) -> str:
    """Return all threads of a dump, and what tasks await; threads of the block come without this worker's frames.

    For a person who looks at a running job: it is also news that a thread waits for work. What the tasks await
    is shown once: on a busy machine an answer may come so late that the next one follows it.
    """
    return "\n\n".join(dict.fromkeys(_above_worker(section) or section for section in _sections(dump)))


def _above_worker(section: str) -> str:
    heading, *lines = section.split("\n")
    files = [match["file"] if (match := _FRAME.match(line)) else "" for line in lines]
    kept = lines[: _length_above_worker(files)]
    return "\n".join([heading, *kept]) if kept else ""


def _length_above_worker(files: list[str]) -> int:
    """Return how many frames are the block's: up to the outermost one that is neither ours nor Python's.

    The block may have called our code, which is then above it. If there is no such frame, all frames above ours.
    """
    end = next((number for number, file in enumerate(files) if file in _MAIN), len(files))
    owners = [whose(file) if file else None for file in files[:end]]
    theirs = [n for n, owner in enumerate(owners) if owner in (Whose.AUTHOR, Whose.INSTALLED)]
    if theirs:
        return theirs[-1] + 1
    return next((n for n, owner in enumerate(owners) if owner is Whose.WORKER), end)


def innermost(stack: str) -> str | None:
    """Return `file:line function` of the innermost frame of the author's code, for a table or a headline.

    If there is none, the innermost frame of an installed package; otherwise the one on top.
    """
    frames = [match for line in stack.split("\n") if (match := _FRAME.match(line))]
    owners = [whose(frame["file"]) for frame in frames]
    chosen = next((owner for owner in (Whose.AUTHOR, Whose.INSTALLED) if owner in owners), None)
    if not frames:
        return None
    frame = frames[owners.index(chosen)] if chosen else frames[0]
    return f"{os.path.basename(frame['file'])}:{frame['line']} {frame['function']}"
