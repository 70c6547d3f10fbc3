"""The sentences of an abnormal end: what happened, to what, and what can be done. Never a value of a parameter."""

from typing import Final

from supervisor.verdict.causes import Cause
from supervisor.verdict.ending import Ending, LimitHit, LimitKind

_STACK_CAP_CHARS: Final = 2500
_OUTPUT_CAP_CHARS: Final = 1000

_SIGNAL_MEANINGS: Final = {
    "SIGSEGV": "a segmentation fault: native code of a library touched memory that is not its own",
    "SIGBUS": "a bus error: native code used a bad address, or a mapped file shrank or its disk is full",
    "SIGABRT": "an abort: native code gave up, see its last output",
    "SIGFPE": "an arithmetic fault in native code",
    "SIGILL": "an illegal instruction: a library was built for another processor",
    "SIGKILL": "not sent by this worker; the kernel sends it when memory runs out (its log says so), else the block "
    "itself or somebody on this machine did",
    "SIGTERM": "a request from outside this worker to end",
    "SIGXCPU": "a CPU limit set outside this worker",
}


def limit_sentence(limit: LimitHit, ending: Ending) -> str:
    """Say which limit ended the job, and how to raise it."""
    ended = "Killed" if ending.killed else "Ended"
    match limit.kind:
        case LimitKind.TIME:
            text = (
                f"{ended} at its time limit: it had run {limit.measured:.1f} s of {limit.limit:g} s. "
                "If it needs longer, raise --max-job-seconds or max_seconds of its registration."
            )
        case LimitKind.MEMORY:
            text = (
                f"{ended} at its memory limit: its processes used {limit.measured:.0f} MB of {limit.limit:g} MB. "
                "If it needs more, raise --max-job-memory-mb or max_memory_mb of its registration."
            )
        case LimitKind.STOPPING:
            text = "Ended because this worker is shutting down; the block may have done a part of its work."
    if ending.outcome is not None and ending.outcome.success:
        text += " It reported success afterwards, which does not count."
    return text


def plain_end(cause: Cause, ending: Ending) -> str:
    """Say how a job without an outcome ended."""
    match cause:
        case Cause.CRASHED:
            name = ending.exit_status.signal_name if ending.exit_status else None
            meaning = _SIGNAL_MEANINGS.get(name or "", "see its last output")
            return f"Crashed with {name}: {meaning}."
        case Cause.CHANNEL_CLOSED:
            return (
                "The block closed the descriptor over which its result would have come, or replaced its own "
                "process (exec). Close only what you opened, and start programs as subprocesses."
            )
        case Cause.BAD_FRAME:
            return f"It wrote to the worker's own descriptor: {ending.channel_problem}. Blocks must leave it alone."
        case _:
            return (
                f"Its process ended by itself with {ending.exit_status} before the block returned a result."
            )


def evidence(ending: Ending) -> str:
    """Return the usage, the stack and the last output, most telling first: readers may cut at 1000 characters."""
    usage = ending.usage
    parts = [f"ran {usage.elapsed_seconds:.1f} s"]
    if usage.cpu_seconds is not None:
        parts.append(f"CPU {usage.cpu_seconds:.1f} s")
    if usage.peak_memory_mb is not None:
        parts.append(f"peak memory {usage.peak_memory_mb:.0f} MB")
    if ending.exit_status is not None:
        ours = ending.killed and ending.exit_status.signal_name == "SIGKILL"
        parts.append(str(ending.exit_status) + (" (sent by the worker)" if ours else ""))
    if killed := ending.leftover_processes - ending.unkilled_processes:
        parts.append(f"{killed} process(es) it left behind were killed")
    if ending.unkilled_processes:
        parts.append(f"{ending.unkilled_processes} process(es) it left behind could not be killed")
    text = f"\nUsage: {', '.join(parts)}."
    if ending.stack:
        text += f"\nWhere it was:\n{ending.stack[:_STACK_CAP_CHARS].rstrip()}"
    if ending.last_output:
        text += f"\nLast output:\n{ending.last_output[-_OUTPUT_CAP_CHARS:].rstrip()}"
    return text
