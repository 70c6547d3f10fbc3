"""The sentences of an abnormal end: what happened, to what, and what to do. Never a value of a parameter."""

from typing import Final

from supervisor.verdict.ending import Ending, KernelView, OutOfMemory, Unwatched
from supervisor.verdict.limits import LimitHit, LimitKind
from supervisor.verdict.verdict import Cause

_STACK_CAP_CHARS: Final = 2500
_OUTPUT_CAP_CHARS: Final = 1000
_STOPPED: Final = ("T", "t")

_SIGNAL_MEANINGS: Final = {
    "SIGSEGV": "a segmentation fault: native code of a library touched memory that is not its own",
    "SIGBUS": "a bus error: native code used a bad address, or a mapped file shrank or its disk is full",
    "SIGABRT": "an abort: native code gave up, see its last output",
    "SIGFPE": "an arithmetic fault in native code",
    "SIGILL": "an illegal instruction: a library was built for another processor",
    "SIGKILL": "not sent by this worker. If memory ran out, the kernel sent it, and dmesg says so. Else the block or "
    "another process sent it",
    "SIGTERM": "a request from outside this worker to end",
    "SIGXCPU": "a CPU limit set outside this worker",
}

_SETTINGS: Final = {
    LimitKind.TIME: ("--max-job-seconds", "max_seconds in its registration"),
    LimitKind.MEMORY: ("--max-job-memory-mb", "max_memory_mb in its registration"),
    LimitKind.CPU: ("--max-job-cpu-seconds", "max_cpu_seconds in its registration"),
}
"""Who sets a limit: the worker, and a block."""

_UNWATCHED: Final = {
    LimitKind.MEMORY: ("its memory limit", "its memory could not be read"),
    LimitKind.CPU: ("its CPU limit", "what it used of the processors could not be read"),
    LimitKind.PROCESSES: ("its limit of processes", "its processes could not be counted"),
}

_STATES: Final = {
    "R": "running",
    "S": "waiting",
    "D": "stuck in the kernel (state D), where no signal reaches it",
    "T": "stopped (SIGSTOP, by itself or by somebody on this machine), so that no code of it ran",
    "t": "stopped by a debugger, so that no code of it ran",
    "Z": "dead already",
}


def limit_sentence(limit: LimitHit, ending: Ending) -> str:
    """Say which limit ended the job, and how to raise it."""
    ended = "Killed" if ending.killed and not ending.unkillable else "Ended"
    most = None if ending.limits is None else ending.limits.of(limit.kind)
    assert most is not None, "a limit was hit that there was not"
    match limit.kind:
        case LimitKind.TIME:
            text = (
                f"{ended} at its time limit of {most:g} s. {_grace(ending)}"
                f"If it needs longer, raise {_setting_of(limit.kind, ending)}."
            )
        case LimitKind.MEMORY:
            text = (
                f"{ended} at its memory limit of {most:g} MB: its processes used {limit.measured:.0f} MB. "
                f"If it needs more, raise {_setting_of(limit.kind, ending)}."
            )
        case LimitKind.CPU:
            text = (
                f"{ended} at its CPU limit of {most:g} s: its processes used {limit.measured:.1f} s of processor time. "
                f"{_grace(ending)}If it needs more, raise {_setting_of(limit.kind, ending)}."
            )
        case LimitKind.STALL:
            text = (
                f"{ended} because its event loop stalled: it did not run for {limit.measured:.1f} s, and the limit is "
                f"{most:g} s. Await what takes long (asyncio.to_thread for blocking calls), raise --stall-seconds, or "
                "set --on-stall warn."
            )
        case LimitKind.PROCESSES:
            text = (
                f"{ended} at its limit of processes: it had more than {most:.0f} processes and threads. "
                "If it needs more, raise --max-job-processes."
            )
        case LimitKind.STOPPING:
            text = "Ended because this worker is shutting down; the block may have done a part of its work."
        case LimitKind.CANCELLED:
            text = f"{ended} because an operator cancelled it. {_grace(ending)}"
            text += "The block may have done a part of its work."
    if ending.outcome is not None and ending.outcome.success:
        text += " It reported success afterwards, which does not count."
    return text


def _setting_of(kind: LimitKind, ending: Ending) -> str:
    workers, blocks = _SETTINGS[kind]
    return blocks if ending.limits is not None and kind in ending.limits.by_block else workers


def _grace(ending: Ending) -> str:
    if ending.limits is None or not ending.killed or not ending.grace_used_up:
        return ""
    return f"It had {ending.limits.grace_seconds:g} s to clean up (--grace-seconds), and did not end. "


def plain_end(cause: Cause, ending: Ending) -> str:
    """Say how a job without an outcome ended."""
    match cause:
        case Cause.MEMORY_LIMIT:
            return (
                f"Ended by the kernel at its memory limit of {ending.oom_limit_mb:g} MB. The kernel's own count proves "
                "it. Files in a tmpfs and buffers of the kernel count as well. "
                f"If it needs more, raise {_setting_of(LimitKind.MEMORY, ending)}."
            )
        case Cause.CRASHED if ending.out_of_memory is not None and _was_sigkill(ending):
            return (
                "Ended by the kernel (SIGKILL), because the machine or the worker's service had no memory left. The "
                "kernel's own count proves it. Run fewer jobs at a time, or give the worker more memory."
            )
        case Cause.CRASHED:
            name = ending.exit_status.signal_name if ending.exit_status else None
            meaning = _SIGNAL_MEANINGS.get(name or "", "see its last output")
            return f"Crashed with {name}: {meaning}."
        case Cause.CHANNEL_CLOSED:
            return (
                "The block closed the descriptor that carries its result, or replaced its own process (exec). "
                "Close only what you opened, and start programs as subprocesses."
            )
        case Cause.START_FAILED if not ending.not_isolated:
            return f"Not run: its process ended with {ending.exit_status} before the job began."
        case Cause.START_FAILED:
            return (
                "Not run: its process could not be kept apart from the rest of the machine (--isolation kernel). Its "
                "last output says what the kernel refused."
            )
        case Cause.BAD_FRAME:
            return f"It wrote to the worker's own descriptor: {ending.channel_problem}. Write only to what you opened."
        case _:
            return (
                f"Its process ended by itself with {ending.exit_status} before the block returned a result. "
                "Look for os._exit() in the block, or in a library that it uses."
            )


def oom_sentence(oom: OutOfMemory) -> str:
    """Say what the kernel ended, if that did not end the job."""
    reason = (
        f"its memory limit of {oom.limit_mb:g} MB was reached"
        if oom.limit_mb is not None
        else "the machine or the service of this worker had no memory left"
    )
    return f"the kernel ended {oom.kills} of its process(es), because {reason}"


def _was_sigkill(ending: Ending) -> bool:
    return (
        ending.exit_status is not None and ending.exit_status.signal_name == "SIGKILL" and not ending.killed
    )


def evidence(cause: Cause, ending: Ending) -> str:
    """Return cause, usage, stack and last output, the most important first: readers may cut at 1000 characters."""
    usage, limits = ending.usage, ending.limits
    # A job that was ended at its limit ran a moment longer: "3.1 s of 3 s" would confuse people.
    timed_out = ending.limit is not None and ending.limit.kind is LimitKind.TIME
    over_cpu = ending.limit is not None and ending.limit.kind is LimitKind.CPU
    of_limit = "" if limits is None or timed_out else f" of {limits.max_seconds:g} s"
    parts = [f"ran {usage.elapsed_seconds:.1f} s{of_limit}"]
    if usage.cpu_seconds is not None:
        cpu_limit = None if limits is None or over_cpu else limits.cpu_seconds
        parts.append(f"CPU {usage.cpu_seconds:.1f} s{_of(cpu_limit, 's')}")
    if usage.peak_memory_mb is not None:
        parts.append(
            f"peak memory {usage.peak_memory_mb:.0f} MB{_of(limits.memory_mb if limits else None, 'MB')}"
        )
    if ending.silent_seconds is not None:
        parts.append(f"its event loop had not run for {ending.silent_seconds:.1f} s")
    if ending.exit_status is not None:
        ours = ending.killed and ending.exit_status.signal_name == "SIGKILL"
        parts.append(str(ending.exit_status) + (" (sent by the worker)" if ours else ""))
    if ending.unkillable:
        parts.append("it could not be killed, and the worker sets its slot aside")
    if killed := ending.leftover_processes - ending.unkilled_processes:
        parts.append(f"{killed} process(es) it left behind were killed")
    if ending.unkilled_processes:
        parts.append(f"{ending.unkilled_processes} process(es) it left behind could not be killed")
    if ending.leftovers_unsearched:
        parts.append("the worker could not look yet for processes that it left behind")
    if ending.out_of_memory is not None:
        parts.append(f"{ending.out_of_memory.kills} process(es) ended by the kernel's OOM killer")
    text = f"\nCause: {cause}. Usage: {', '.join(parts)}."
    text += "".join(f"\nNote: {unwatched_sentence(each)}." for each in ending.unwatched)
    if ending.unread_output:
        text += "\nNote: what it printed last could not be read, as a process holds its pipe up."
    text += place(ending)
    if ending.last_output:
        text += f"\nLast output:\n{ending.last_output[-_OUTPUT_CAP_CHARS:].rstrip()}"
    return text


def unwatched_sentence(unwatched: Unwatched) -> str:
    """Say which limit was not enforced, for how long and why."""
    what, failed = _UNWATCHED[unwatched.kind]
    return f"{what} was not enforced for {unwatched.seconds:.1f} s, because {failed} ({unwatched.reason})"


def place(ending: Ending) -> str:
    """Return where the code was: the kernel's view if a stack is missing or incomplete, and the stack."""
    text = "" if ending.kernel is None else f"\n{kernel_sentence(ending.kernel)}"
    if ending.stack:
        text += f"\nWhere it was:\n{ending.stack[:_STACK_CAP_CHARS].rstrip()}"
    return text


def kernel_sentence(view: KernelView) -> str:
    """Say what the kernel shows of a process that gave no stack."""
    text = f"Its process was {_STATES.get(view.state, 'in a state that could not be read')}"
    if view.state not in _STOPPED and view.wchan:
        text += f", in the kernel: {view.wchan}"
    if view.state not in _STOPPED and view.syscall:
        text += f" (system call {view.syscall})"
    if view.deaf:
        text += "; it blocks the signal that asks for its stack"
    text += "."
    return text + (f"\nIn the kernel:\n{view.stack}" if view.stack else "")


def _of(limit: float | None, unit: str) -> str:
    return "" if limit is None else f" of {limit:g} {unit}"
