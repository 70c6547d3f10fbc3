"""The sentences of a verdict, whole: an operator reads them, and acts by them."""

from dataclasses import replace

import pytest

from supervisor.verdict import (
    Cause,
    Ending,
    ExitStatus,
    KernelView,
    LimitHit,
    LimitKind,
    Limits,
    OutcomeSeen,
    OutOfMemory,
    Unwatched,
    Usage,
    decide,
)
from supervisor.verdict.wording import evidence, kernel_sentence, limit_sentence, oom_sentence, plain_end

USAGE = Usage(elapsed_seconds=3.0)
ENDED = Ending(USAGE, exit_status=ExitStatus(code=0))
GRACE_USED_UP = replace(ENDED, killed=True, grace_used_up=True)
SIGKILL = ExitStatus(signal_name="SIGKILL")
SUCCESS = OutcomeSeen(success=True, message="done")


def first_line(ending: Ending) -> str:
    return decide(ending).message.splitlines()[0]


@pytest.mark.parametrize(
    ("ending", "sentence"),
    [
        (
            replace(GRACE_USED_UP, limits=Limits(10, 1), limit=LimitHit(LimitKind.TIME, 10.26)),
            "Killed at its time limit of 10 s. It had 1 s to clean up (--grace-seconds), and did not end. "
            "If it needs longer, raise --max-job-seconds.",
        ),
        (
            replace(ENDED, limits=Limits(600, 1, 64), limit=LimitHit(LimitKind.MEMORY, 70.4)),
            "Ended at its memory limit of 64 MB: its processes used 70 MB. "
            "If it needs more, raise --max-job-memory-mb.",
        ),
        (
            replace(GRACE_USED_UP, limits=Limits(600, 1, cpu_seconds=5), limit=LimitHit(LimitKind.CPU, 5.26)),
            "Killed at its CPU limit of 5 s: its processes used 5.3 s of processor time. It had 1 s to clean up "
            "(--grace-seconds), and did not end. If it needs more, raise --max-job-cpu-seconds.",
        ),
        (
            replace(
                ENDED,
                limits=Limits(600, 1, cpu_seconds=5, by_block=frozenset({LimitKind.CPU})),
                limit=LimitHit(LimitKind.CPU, 5.26),
            ),
            "Ended at its CPU limit of 5 s: its processes used 5.3 s of processor time. "
            "If it needs more, raise max_cpu_seconds in its registration.",
        ),
        (
            replace(
                ENDED,
                limits=Limits(10, 0, by_block=frozenset({LimitKind.TIME})),
                limit=LimitHit(LimitKind.TIME, 10.26),
                killed=True,
            ),
            "Killed at its time limit of 10 s. If it needs longer, raise max_seconds in its registration.",
        ),
        (
            replace(
                ENDED,
                limits=Limits(600, 1, 64, by_block=frozenset({LimitKind.MEMORY})),
                limit=LimitHit(LimitKind.MEMORY, 70.4),
            ),
            "Ended at its memory limit of 64 MB: its processes used 70 MB. "
            "If it needs more, raise max_memory_mb in its registration.",
        ),
        (
            replace(
                ENDED,
                limits=Limits(600, 1, processes=512),
                limit=LimitHit(LimitKind.PROCESSES, 513),
                killed=True,
                unkillable=True,
            ),
            "Ended at its limit of processes: it had more than 512 processes and threads. "
            "If it needs more, raise --max-job-processes.",
        ),
        (
            replace(ENDED, limits=Limits(600, 1), limit=LimitHit(LimitKind.CANCELLED, 5)),
            "Ended because an operator cancelled it. The block may have done a part of its work.",
        ),
        (
            replace(GRACE_USED_UP, limits=Limits(600, 3), limit=LimitHit(LimitKind.CANCELLED, 5)),
            "Killed because an operator cancelled it. It had 3 s to clean up (--grace-seconds), and did not end. The "
            "block may have done a part of its work.",
        ),
        (
            replace(ENDED, limits=Limits(600, 3), limit=LimitHit(LimitKind.CANCELLED, 5), killed=True),
            "Killed because an operator cancelled it. The block may have done a part of its work.",
        ),
        (
            replace(ENDED, limits=Limits(600, 1), limit=LimitHit(LimitKind.STOPPING, 5)),
            "Ended because this worker is shutting down; the block may have done a part of its work.",
        ),
        (
            replace(ENDED, limits=Limits(600, 1), limit=LimitHit(LimitKind.STOPPING, 5), outcome=SUCCESS),
            "Ended because this worker is shutting down; the block may have done a part of its work. "
            "It reported success afterwards, which does not count.",
        ),
        (
            replace(
                ENDED,
                limits=Limits(600, 1),
                limit=LimitHit(LimitKind.STOPPING, 5),
                outcome=OutcomeSeen(success=False, message=""),
            ),
            "Ended because this worker is shutting down; the block may have done a part of its work.",
        ),
    ],
)
def test_a_limit_is_told_with_its_numbers_and_how_to_raise_it(ending: Ending, sentence: str) -> None:
    assert ending.limit is not None
    assert limit_sentence(ending.limit, ending) == sentence
    assert first_line(ending) == sentence


@pytest.mark.parametrize(
    ("ending", "beginning"),
    [
        (replace(ENDED, exit_status=ExitStatus(signal_name="SIGBUS")), "Crashed with SIGBUS: a bus error: "),
        (
            replace(ENDED, exit_status=ExitStatus(signal_name="SIGABRT")),
            "Crashed with SIGABRT: an abort: native code gave up, see its last output.",
        ),
        (
            replace(ENDED, exit_status=ExitStatus(signal_name="SIGUSR1")),
            "Crashed with SIGUSR1: see its last output.",
        ),
        (
            replace(ENDED, exit_status=SIGKILL, out_of_memory=OutOfMemory(1)),
            "Ended by the kernel (SIGKILL), because the machine or the worker's service had no memory left. ",
        ),
        (
            replace(ENDED, exit_status=ExitStatus(signal_name="SIGSEGV"), out_of_memory=OutOfMemory(1)),
            "Crashed with SIGSEGV: ",
        ),
        (
            replace(ENDED, exit_status=SIGKILL, out_of_memory=OutOfMemory(1, 64)),
            "Ended by the kernel at its memory limit of 64 MB. The kernel's own count proves it.",
        ),
        (
            replace(ENDED, channel_problem="half a frame"),
            "It wrote to the worker's own descriptor: half a frame. Write only to what you opened.",
        ),
        (ENDED, "Its process ended by itself with exit code 0 before the block returned a result."),
        (
            replace(ENDED, exit_status=ExitStatus()),
            "Its process ended by itself with an unknown exit status before",
        ),
    ],
)
def test_an_end_without_an_outcome_is_told_by_what_ended_it(ending: Ending, beginning: str) -> None:
    assert first_line(ending).startswith(beginning)


@pytest.mark.parametrize(
    ("by_block", "setting"),
    [
        (frozenset({LimitKind.MEMORY}), "max_memory_mb in its registration."),
        (frozenset({LimitKind.TIME}), "--max-job-memory-mb."),
    ],
)
def test_whose_memory_limit_the_kernel_held_is_told(by_block: frozenset[LimitKind], setting: str) -> None:
    limits = Limits(600, 1, 64, by_block=by_block)
    ending = replace(ENDED, limits=limits, exit_status=SIGKILL, out_of_memory=OutOfMemory(1, 64))
    assert first_line(ending).endswith(f"If it needs more, raise {setting}")


def test_what_the_kernel_ended_is_not_told_for_a_process_that_the_worker_killed() -> None:
    ending = replace(ENDED, exit_status=SIGKILL, killed=True, out_of_memory=OutOfMemory(1))
    assert plain_end(Cause.CRASHED, ending).startswith("Crashed with SIGKILL: not sent by this worker")


def test_a_crash_without_a_status_can_be_told() -> None:
    assert "no memory left" not in plain_end(Cause.CRASHED, Ending(USAGE, out_of_memory=OutOfMemory(1)))
    assert plain_end(Cause.CRASHED, Ending(USAGE)) == "Crashed with None: see its last output."


def test_what_the_kernel_ended_without_ending_the_job_is_told_with_the_reason() -> None:
    assert oom_sentence(OutOfMemory(2, 64)) == (
        "the kernel ended 2 of its process(es), because its memory limit of 64 MB was reached"
    )
    assert oom_sentence(OutOfMemory(1)) == (
        "the kernel ended 1 of its process(es), because the machine or the service of this worker had no memory left"
    )


@pytest.mark.parametrize(
    ("ending", "usage"),
    [
        (Ending(USAGE), "ran 3.0 s"),
        (
            Ending(Usage(3.04, 120.4, 1.26), Limits(600, 1, 256)),
            "ran 3.0 s of 600 s, CPU 1.3 s, peak memory 120 MB of 256 MB",
        ),
        (Ending(Usage(3.0, 0.0, 0.0)), "ran 3.0 s, CPU 0.0 s, peak memory 0 MB"),
        (
            Ending(Usage(3.0, None, 1.26), Limits(600, 1, cpu_seconds=5)),
            "ran 3.0 s of 600 s, CPU 1.3 s of 5 s",
        ),
        (
            # It ran a moment longer: "5.3 s of 5 s" would be a riddle.
            Ending(
                Usage(6.0, None, 5.26), Limits(600, 1, cpu_seconds=5), limit=LimitHit(LimitKind.CPU, 5.26)
            ),
            "ran 6.0 s of 600 s, CPU 5.3 s",
        ),
        (Ending(USAGE, silent_seconds=0.0), "ran 3.0 s, its event loop had not run for 0.0 s"),
        (ENDED, "ran 3.0 s, exit code 0"),
        (replace(ENDED, exit_status=SIGKILL), "ran 3.0 s, signal SIGKILL"),
        (
            replace(ENDED, exit_status=SIGKILL, killed=True),
            "ran 3.0 s, signal SIGKILL (sent by the worker)",
        ),
        (replace(ENDED, killed=True), "ran 3.0 s, exit code 0"),
        (
            Ending(USAGE, unkillable=True),
            "ran 3.0 s, it could not be killed, and the worker sets its slot aside",
        ),
        (
            Ending(USAGE, leftover_processes=5, unkilled_processes=2),
            "ran 3.0 s, 3 process(es) it left behind were killed, "
            "2 process(es) it left behind could not be killed",
        ),
        (Ending(USAGE, leftover_processes=5), "ran 3.0 s, 5 process(es) it left behind were killed"),
        (
            Ending(USAGE, leftover_processes=2, unkilled_processes=2),
            "ran 3.0 s, 2 process(es) it left behind could not be killed",
        ),
        (
            Ending(USAGE, out_of_memory=OutOfMemory(2, 64)),
            "ran 3.0 s, 2 process(es) ended by the kernel's OOM killer",
        ),
    ],
)
def test_the_usage_is_what_was_measured_and_nothing_else(ending: Ending, usage: str) -> None:
    assert evidence(Cause.EXITED, ending) == f"\nCause: exited. Usage: {usage}."


def test_the_evidence_tells_the_most_telling_first() -> None:
    ending = replace(ENDED, stack="the stack\n\n", last_output="the output\n", kernel=KernelView("R"))
    assert evidence(Cause.EXITED, ending) == (
        "\nCause: exited. Usage: ran 3.0 s, exit code 0."
        "\nIts process was running."
        "\nWhere it was:\nthe stack"
        "\nLast output:\nthe output"
    )


def test_output_that_could_not_be_read_is_told_before_what_there_is_of_it() -> None:
    ending = replace(ENDED, last_output="the output\n", unread_output=True)
    assert evidence(Cause.EXITED, ending) == (
        "\nCause: exited. Usage: ran 3.0 s, exit code 0."
        "\nNote: what it printed last could not be read, as a process holds its pipe up."
        "\nLast output:\nthe output"
    )


def test_of_a_stack_the_beginning_is_kept_and_of_the_output_the_end() -> None:
    stack, output = "".join(f"{n}," for n in range(2000)), "".join(f"{n}." for n in range(2000))
    text = evidence(Cause.EXITED, replace(ENDED, stack=stack, last_output=output))
    _, _, after = text.partition("\nWhere it was:\n")
    told_stack, _, told_output = after.partition("\nLast output:\n")
    assert told_stack == stack[:2500]
    assert told_output == output[-1000:]


@pytest.mark.parametrize(
    ("view", "sentence"),
    [
        (KernelView("R"), "Its process was running."),
        (KernelView("Z"), "Its process was dead already."),
        (
            KernelView("S", "do_wait", "61"),
            "Its process was waiting, in the kernel: do_wait (system call 61).",
        ),
        (KernelView("S", "", "61"), "Its process was waiting (system call 61)."),
        (
            KernelView("T", "do_signal_stop", "61"),
            "Its process was stopped (SIGSTOP, by itself or by somebody on this machine), so that no code of it ran.",
        ),
        (
            KernelView("t", "ptrace_stop", "61"),
            "Its process was stopped by a debugger, so that no code of it ran.",
        ),
        (
            KernelView("R", deaf=True),
            "Its process was running; it blocks the signal that asks for its stack.",
        ),
        (
            KernelView("D", stack="  vfs_read"),
            "Its process was stuck in the kernel (state D), where no signal reaches it.\nIn the kernel:\n  vfs_read",
        ),
    ],
)
def test_what_the_kernel_knows_is_told_and_for_a_stopped_process_only_that_it_is(
    view: KernelView, sentence: str
) -> None:
    assert kernel_sentence(view) == sentence


@pytest.mark.parametrize(
    ("ending", "warning"),
    [
        (
            replace(ENDED, exit_status=SIGKILL, killed=True, lingered=True),
            "its process did not end by itself after the result was complete and was killed",
        ),
        (
            replace(ENDED, exit_status=ExitStatus(code=3)),
            "its process ended with exit code 3 after the result was complete",
        ),
        (
            replace(ENDED, leftover_processes=3, unkilled_processes=1),
            "it left 1 process(es) behind that could not be killed",
        ),
        (
            replace(ENDED, leftover_processes=3),
            "it left 3 process(es) behind, which were killed",
        ),
        (replace(ENDED, exit_status=SIGKILL, killed=True), None),
        (replace(ENDED, exit_status=None), None),
        (ENDED, None),
    ],
)
def test_a_warning_after_the_outcome_says_what_happened(ending: Ending, warning: str | None) -> None:
    assert decide(replace(ending, outcome=SUCCESS)).warning == warning


@pytest.mark.parametrize(
    ("ending", "limit"),
    [
        (replace(ENDED, exit_status=SIGKILL, out_of_memory=OutOfMemory(1, 64)), 64),
        (replace(ENDED, exit_status=SIGKILL, out_of_memory=OutOfMemory(1)), None),
        (replace(ENDED, exit_status=SIGKILL, killed=True, out_of_memory=OutOfMemory(1, 64)), None),
        (replace(ENDED, exit_status=ExitStatus(code=1), out_of_memory=OutOfMemory(1, 64)), None),
        (replace(ENDED, exit_status=SIGKILL), None),
    ],
)
def test_the_kernel_ended_the_job_only_where_that_is_proven(ending: Ending, limit: float | None) -> None:
    assert ending.oom_limit_mb == limit


def test_a_success_and_a_failure_have_the_engine_s_words() -> None:
    assert decide(replace(ENDED, outcome=SUCCESS)).status == "success"
    assert decide(ENDED).status == "failed"
    assert decide(ENDED).warning is None


MEMORY_UNWATCHED = Unwatched(LimitKind.MEMORY, 12.34, "can't start new thread")
PROCESSES_UNWATCHED = Unwatched(LimitKind.PROCESSES, 3.0, "Too many open files")


@pytest.mark.parametrize(
    "ending",
    [
        replace(ENDED, outcome=SUCCESS),
        replace(ENDED, outcome=replace(SUCCESS, success=False)),
        replace(ENDED, exit_status=ExitStatus(code=7)),
        replace(ENDED, limits=Limits(10, 1), limit=LimitHit(LimitKind.TIME, 10.2)),
    ],
)
def test_a_limit_that_was_not_enforced_is_in_every_result(ending: Ending) -> None:
    verdict = decide(replace(ending, unwatched=(MEMORY_UNWATCHED, PROCESSES_UNWATCHED)))
    assert (
        "Note: its memory limit was not enforced for 12.3 s, because its memory could not be read "
        "(can't start new thread)." in verdict.message
    )
    assert (
        "Note: its limit of processes was not enforced for 3.0 s, because its processes could not be counted "
        "(Too many open files)." in verdict.message
    )
    assert verdict.success is decide(ending).success
    assert verdict.message.startswith(decide(ending).message[:30])


def test_a_limit_that_was_not_enforced_is_a_warning_beside_others() -> None:
    verdict = decide(replace(ENDED, outcome=SUCCESS, leftover_processes=3, unwatched=(PROCESSES_UNWATCHED,)))
    assert verdict.warning == (
        "it left 3 process(es) behind, which were killed; its limit of processes was not enforced for 3.0 s, because "
        "its processes could not be counted (Too many open files)"
    )
