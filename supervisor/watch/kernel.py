"""What the kernel shows of a child whose own code does not answer: /proc, read without waiting for the child."""

from pathlib import Path
from typing import Final

from jobrunner.protocol.linux import DUMP_SIGNAL
from jobrunner.protocol.masking import TextMask
from supervisor.process.proc import living_thread, status_of
from supervisor.verdict import KernelView

_STACK_LINES: Final = 8
_WORD_CHARS: Final = 64
_NOTHING: Final = {"wchan": ("0",), "syscall": ("running", "-1")}


def look_into_kernel(pid: int, mask: TextMask) -> KernelView:
    """Return what can be read of the main thread of `pid`: everything for root, otherwise at least the state.

    If that thread has ended and others live, it reads one of those.

    Nothing here takes the process's memory lock (as `cmdline` and `environ` do): a process in state D may hold it.
    `pid` must not have been reaped, or it may belong to another process.
    """
    pid = living_thread(pid)
    status = status_of(pid)
    return KernelView(
        state=status.get("State", "")[:1],
        wchan=_word(pid, "wchan"),
        syscall=_word(pid, "syscall"),
        stack=mask("\n".join(f"  {line}" for line in _read(pid, "stack").splitlines()[:_STACK_LINES])),
        deaf=_blocks(status, DUMP_SIGNAL),
    )


def waits_in(pid: int) -> str:
    """Return the kernel's function in which a process sleeps; empty if it runs, or if this user may not see it."""
    return _word(living_thread(pid), "wchan")


def is_runnable(pid: int) -> bool:
    """Whether `pid` has a processor, or waits for one."""
    return status_of(living_thread(pid)).get("State", "")[:1] == "R"


def is_stopped(pid: int) -> bool:
    """Whether `pid` is stopped: by SIGSTOP, or by a debugger."""
    return status_of(pid).get("State", "")[:1] in ("T", "t")


def _blocks(status: dict[str, str], number: int) -> bool:
    return bool(int(status.get("SigBlk", "0"), 16) >> (number - 1) & 1)


def _word(pid: int, name: str) -> str:
    """Return the first word of a file; "" if the process waits nowhere, or if this user may not see it."""
    words = _read(pid, name).split()
    return words[0][:_WORD_CHARS] if words and words[0] not in _NOTHING[name] else ""


def _read(pid: int, name: str) -> str:
    try:
        return Path(f"/proc/{pid}/{name}").read_text(errors="replace")
    except OSError:
        return ""
