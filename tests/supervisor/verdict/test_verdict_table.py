"""The verdict table, row by row, and what a message says of an abnormal end (I7)."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as some

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
    Usage,
    Verdict,
    decide,
)

USAGE = Usage(elapsed_seconds=3.04, peak_memory_mb=120.4, cpu_seconds=1.26)
LIMITS = Limits(
    max_seconds=600, grace_seconds=10, memory_mb=256, stall_seconds=10, processes=512, cpu_seconds=5
)
SUCCESS = OutcomeSeen(success=True, message="All good")
FAILURE = OutcomeSeen(success=False, message="No route", retryable=False)
EXIT_0 = ExitStatus(code=0)
EXIT_7 = ExitStatus(code=7)
SIGKILL = ExitStatus(signal_name="SIGKILL")
SIGSEGV = ExitStatus(signal_name="SIGSEGV")
TIME = LimitHit(LimitKind.TIME, 600.2)
MEMORY = LimitHit(LimitKind.MEMORY, 300.4)
CPU = LimitHit(LimitKind.CPU, 5.3)
PROCESSES = LimitHit(LimitKind.PROCESSES, 513)
STOPPING = LimitHit(LimitKind.STOPPING, 5)
CANCELLED = LimitHit(LimitKind.CANCELLED, 5)
STALL = LimitHit(LimitKind.STALL, 10.4)
ENDED = Ending(USAGE, LIMITS, exit_status=EXIT_0)
OOM = OutOfMemory(kills=2, limit_mb=256)
OOM_OF_MACHINE = OutOfMemory(kills=1)

ROWS: list[tuple[str, Ending, bool, Cause, bool | None]] = [
    ("success", replace(ENDED, outcome=SUCCESS), True, Cause.COMPLETED, None),
    ("failure", replace(ENDED, outcome=FAILURE), False, Cause.BLOCK_FAILED, False),
    ("exception", replace(ENDED, outcome=replace(FAILURE, raised=True)), False, Cause.BLOCK_RAISED, False),
    (
        "failure, retryable",
        replace(ENDED, outcome=replace(FAILURE, retryable=True)),
        False,
        Cause.BLOCK_FAILED,
        True,
    ),
    (
        "time limit",
        replace(ENDED, limit=TIME, exit_status=SIGKILL, killed=True),
        False,
        Cause.TIME_LIMIT,
        None,
    ),
    ("time limit, then success", replace(ENDED, limit=TIME, outcome=SUCCESS), False, Cause.TIME_LIMIT, None),
    (
        "time limit, then crash",
        replace(ENDED, limit=TIME, exit_status=SIGSEGV),
        False,
        Cause.TIME_LIMIT,
        None,
    ),
    ("memory limit", replace(ENDED, limit=MEMORY, killed=True), False, Cause.MEMORY_LIMIT, None),
    ("CPU limit", replace(ENDED, limit=CPU, killed=True), False, Cause.CPU_LIMIT, None),
    ("CPU limit, then success", replace(ENDED, limit=CPU, outcome=SUCCESS), False, Cause.CPU_LIMIT, None),
    (
        "killed by the kernel at the memory limit",
        replace(ENDED, exit_status=SIGKILL, out_of_memory=OOM),
        False,
        Cause.MEMORY_LIMIT,
        None,
    ),
    (
        "killed by the kernel, as the machine had no memory left",
        replace(ENDED, exit_status=SIGKILL, out_of_memory=OOM_OF_MACHINE),
        False,
        Cause.CRASHED,
        None,
    ),
    (
        "a descendant killed by the kernel, then an exit",
        replace(ENDED, exit_status=EXIT_7, out_of_memory=OOM),
        False,
        Cause.EXITED,
        None,
    ),
    (
        "a descendant killed by the kernel, then a segmentation fault",
        replace(ENDED, exit_status=SIGSEGV, out_of_memory=OOM),
        False,
        Cause.CRASHED,
        None,
    ),
    (
        "a descendant killed by the kernel, then killed by the worker",
        replace(ENDED, exit_status=SIGKILL, killed=True, channel_closed=True, out_of_memory=OOM),
        False,
        Cause.CHANNEL_CLOSED,
        None,
    ),
    (
        "time limit, with a descendant killed by the kernel",
        replace(ENDED, limit=TIME, exit_status=SIGKILL, killed=True, out_of_memory=OOM),
        False,
        Cause.TIME_LIMIT,
        None,
    ),
    (
        "memory limit, then success",
        replace(ENDED, limit=MEMORY, outcome=SUCCESS),
        False,
        Cause.MEMORY_LIMIT,
        None,
    ),
    ("stall", replace(ENDED, limit=STALL, exit_status=SIGKILL, killed=True), False, Cause.STALLED, None),
    ("stall, then success", replace(ENDED, limit=STALL, outcome=SUCCESS), False, Cause.STALLED, None),
    ("process limit", replace(ENDED, limit=PROCESSES, killed=True), False, Cause.PROCESS_LIMIT, None),
    (
        "process limit, then success",
        replace(ENDED, limit=PROCESSES, outcome=SUCCESS),
        False,
        Cause.PROCESS_LIMIT,
        None,
    ),
    ("cancelled", replace(ENDED, limit=CANCELLED, killed=True), False, Cause.CANCELLED, False),
    (
        "cancelled, then success",
        replace(ENDED, limit=CANCELLED, outcome=SUCCESS),
        False,
        Cause.CANCELLED,
        False,
    ),
    ("shutdown", replace(ENDED, limit=STOPPING), False, Cause.WORKER_STOPPING, True),
    (
        "shutdown, then success",
        replace(ENDED, limit=STOPPING, outcome=SUCCESS),
        False,
        Cause.WORKER_STOPPING,
        True,
    ),
    (
        "success, then crash",
        replace(ENDED, outcome=SUCCESS, exit_status=SIGSEGV),
        True,
        Cause.COMPLETED,
        None,
    ),
    ("success, then kill by us", replace(ENDED, outcome=SUCCESS, killed=True), True, Cause.COMPLETED, None),
    ("crash", replace(ENDED, exit_status=SIGSEGV), False, Cause.CRASHED, None),
    ("killed by a stranger", replace(ENDED, exit_status=SIGKILL), False, Cause.CRASHED, None),
    (
        "crash with half a frame",
        replace(ENDED, exit_status=SIGSEGV, channel_problem="half"),
        False,
        Cause.CRASHED,
        None,
    ),
    ("half a frame", replace(ENDED, channel_problem="half"), False, Cause.BAD_FRAME, None),
    (
        "rubbish, killed by us",
        Ending(USAGE, LIMITS, exit_status=SIGKILL, killed=True, channel_problem="x"),
        False,
        Cause.BAD_FRAME,
        None,
    ),
    (
        "channel closed",
        Ending(USAGE, LIMITS, exit_status=SIGKILL, killed=True, channel_closed=True),
        False,
        Cause.CHANNEL_CLOSED,
        None,
    ),
    (
        "channel closed, told by exit code",
        replace(ENDED, exit_status=ExitStatus(code=72)),
        False,
        Cause.CHANNEL_CLOSED,
        None,
    ),
    (
        "not kept apart as it was ordered",
        replace(ENDED, not_isolated=True, exit_status=ExitStatus(code=73), channel_closed=True),
        False,
        Cause.START_FAILED,
        True,
    ),
    (
        "ended before the job began",
        replace(ENDED, not_begun=True, exit_status=SIGKILL, out_of_memory=OOM),
        False,
        Cause.START_FAILED,
        True,
    ),
    (
        "ended before the job began, as it was not kept apart",
        replace(ENDED, not_begun=True, not_isolated=True, exit_status=ExitStatus(code=73)),
        False,
        Cause.START_FAILED,
        True,
    ),
    (
        "ended before the job began, and said that it was done",
        replace(ENDED, not_begun=True, outcome=SUCCESS),
        False,
        Cause.START_FAILED,
        True,
    ),
    (
        "a block that ends with the code of what is not kept apart",
        replace(ENDED, exit_status=ExitStatus(code=73)),
        False,
        Cause.EXITED,
        None,
    ),
    ("exit code 0 without outcome", ENDED, False, Cause.EXITED, None),
    ("exit code 7", replace(ENDED, exit_status=EXIT_7), False, Cause.EXITED, None),
    ("unknown status", replace(ENDED, exit_status=ExitStatus()), False, Cause.EXITED, None),
]


@pytest.mark.parametrize(
    ("ending", "success", "cause", "retryable"), [row[1:] for row in ROWS], ids=[r[0] for r in ROWS]
)
def test_each_row_of_the_table(ending: Ending, success: bool, cause: Cause, retryable: bool | None) -> None:
    verdict = decide(ending)
    assert (verdict.success, verdict.cause, verdict.retryable) == (success, cause, retryable)
    assert verdict.status == ("success" if success else "failed")


@pytest.mark.parametrize(
    ("ending", "warning"),
    [
        (replace(ENDED, outcome=SUCCESS), None),
        (replace(ENDED, outcome=SUCCESS, exit_status=SIGSEGV), "signal SIGSEGV"),
        (replace(ENDED, outcome=SUCCESS, exit_status=EXIT_7), "exit code 7"),
        (
            replace(ENDED, outcome=SUCCESS, exit_status=SIGKILL, killed=True, lingered=True),
            "did not end by itself",
        ),
        (
            replace(ENDED, outcome=SUCCESS, out_of_memory=OOM),
            "ended 2 of its process(es), because its memory limit",
        ),
        (replace(ENDED, outcome=SUCCESS, out_of_memory=OOM_OF_MACHINE), "had no memory left"),
        (replace(ENDED, outcome=SUCCESS, leftover_processes=3), "3 process(es)"),
        (replace(ENDED, outcome=SUCCESS, leftover_processes=3, unkilled_processes=1), "could not be killed"),
    ],
)
def test_what_happens_after_a_complete_outcome_is_a_warning(ending: Ending, warning: str | None) -> None:
    verdict = decide(ending)
    assert verdict.success
    assert verdict.message == "All good"
    assert verdict.warning is None if warning is None else warning in str(verdict.warning)


WITH_OUTCOME = (Cause.COMPLETED, Cause.BLOCK_FAILED, Cause.BLOCK_RAISED)


def test_only_a_complete_outcome_keeps_what_the_block_returned() -> None:
    assert [row[0] for row in ROWS if decide(row[1]).keeps_outcome] == [
        row[0] for row in ROWS if row[3] in WITH_OUTCOME
    ]


@pytest.mark.parametrize(
    ("ending", "said"),
    [
        (
            replace(ENDED, limit=TIME, killed=True),
            ["time limit of 600 s", "--max-job-seconds"],
        ),
        (
            replace(ENDED, limit=MEMORY),
            ["memory limit of 256 MB", "300 MB", "--max-job-memory-mb"],
        ),
        (
            replace(ENDED, limit=STALL, killed=True),
            ["Killed", "10.4 s", "10 s", "--stall-seconds", "--on-stall"],
        ),
        (replace(ENDED, limit=PROCESSES), ["more than 512 processes", "--max-job-processes"]),
        (replace(ENDED, limit=STOPPING), ["shutting down"]),
        (replace(ENDED, limit=TIME, outcome=SUCCESS), ["reported success", "does not count"]),
        (replace(ENDED, exit_status=SIGSEGV), ["SIGSEGV", "segmentation fault"]),
        (replace(ENDED, exit_status=SIGKILL), ["SIGKILL", "not sent by this worker"]),
        (replace(ENDED, exit_status=ExitStatus(signal_name="SIGRTMIN+10")), ["signal SIGRTMIN+10"]),
        (replace(ENDED, exit_status=EXIT_7), ["exit code 7"]),
        (replace(ENDED, exit_status=ExitStatus()), ["unknown exit status"]),
        (replace(ENDED, channel_problem="a header of 9 bytes"), ["descriptor", "a header of 9 bytes"]),
        (replace(ENDED, channel_closed=True), ["closed the descriptor"]),
        (
            replace(ENDED, not_begun=True, exit_status=SIGKILL),
            ["Not run: its process ended with signal SIGKILL before the job began."],
        ),
        (replace(ENDED, not_begun=True, not_isolated=True), ["Not run: its process could not be kept apart"]),
    ],
)
def test_the_message_names_cause_and_signal_or_exit_code_and_what_to_do(
    ending: Ending, said: list[str]
) -> None:
    message = decide(ending).message
    assert [word for word in said if word not in message] == []


FAILED_WITHOUT_OUTCOME = [row for row in ROWS if row[3] not in WITH_OUTCOME]


@pytest.mark.parametrize(
    "ending", [row[1] for row in FAILED_WITHOUT_OUTCOME], ids=[r[0] for r in FAILED_WITHOUT_OUTCOME]
)
def test_the_message_of_an_abnormal_end_names_usage_place_and_last_output(ending: Ending) -> None:
    whole = replace(
        ending, stack='  File "b.py", line 4 in run\n', last_output="about to begin\n", leftover_processes=2
    )
    whole = replace(whole, silent_seconds=12.34)
    message = decide(whole).message
    for said in (
        f"Cause: {decide(whole).cause}.",
        "ran 3.0 s" if decide(whole).cause == "time_limit" else "ran 3.0 s of 600 s",
        "CPU 1.3 s",
        "peak memory 120 MB of 256 MB",
        "its event loop had not run for 12.3 s",
        "2 process(es)",
        "line 4 in run",
        "about to begin",
    ):
        assert said in message


def test_only_what_the_kernel_proves_is_called_a_lack_of_memory() -> None:
    proven = decide(replace(ENDED, exit_status=SIGKILL, out_of_memory=OOM)).message
    assert "by the kernel at its memory limit of 256 MB" in proven
    assert "2 process(es) ended by the kernel's OOM killer" in proven
    of_machine = decide(replace(ENDED, exit_status=SIGKILL, out_of_memory=OOM_OF_MACHINE)).message
    assert "had no memory left" in of_machine
    assert "memory limit" not in of_machine
    unproven = decide(replace(ENDED, exit_status=SIGKILL)).message
    assert "not sent by this worker" in unproven
    assert "proves" not in unproven


def test_a_kill_by_the_worker_says_so_and_an_exit_of_its_own_does_not() -> None:
    assert (
        "SIGKILL (sent by the worker)"
        in decide(replace(ENDED, limit=TIME, exit_status=SIGKILL, killed=True)).message
    )
    assert (
        "(sent by the worker)"
        not in decide(replace(ENDED, limit=TIME, exit_status=EXIT_0, killed=True)).message
    )
    assert "(sent by the worker)" not in decide(replace(ENDED, exit_status=SIGKILL)).message


def test_processes_that_could_not_be_killed_are_not_called_killed() -> None:
    message = decide(replace(ENDED, limit=TIME, leftover_processes=2, unkilled_processes=2)).message
    assert "2 process(es) it left behind could not be killed" in message
    assert "were killed" not in message


def test_a_message_is_bounded_whatever_the_block_printed() -> None:
    ending = replace(ENDED, exit_status=SIGSEGV, stack="s" * 100_000, last_output="o" * 100_000)
    assert len(decide(ending).message) < 5000


def test_of_much_output_the_end_is_kept() -> None:
    assert decide(replace(ENDED, last_output="x" * 9000 + "the last words")).message.endswith(
        "the last words"
    )


@pytest.mark.parametrize(
    ("view", "said"),
    [
        (KernelView("T", "do_signal_stop"), ["stopped (SIGSTOP", "no code of it ran"]),
        (KernelView("D", "nfs_wait_bit", "0"), ["stuck in the kernel", "nfs_wait_bit", "system call 0"]),
        (
            KernelView("S", "hrtimer_nanosleep", deaf=True),
            ["waiting", "hrtimer_nanosleep", "blocks the signal"],
        ),
        (KernelView("R"), ["Its process was running."]),
        (KernelView(), ["could not be read"]),
        (KernelView("D", stack="  [<0>] vfs_read"), ["In the kernel:\n  [<0>] vfs_read"]),
    ],
)
def test_without_a_stack_the_message_says_what_the_kernel_knows(view: KernelView, said: list[str]) -> None:
    ending = replace(ENDED, limit=TIME, exit_status=SIGKILL, killed=True, kernel=view)
    message = decide(ending).message
    assert decide(ending).cause is Cause.TIME_LIMIT
    assert [word for word in said if word not in message] == []


def test_a_process_that_survives_sigkill_is_told_as_such_and_never_as_killed() -> None:
    stuck = replace(
        ENDED, limit=TIME, exit_status=None, killed=True, unkillable=True, kernel=KernelView("D", "nfs_wait")
    )
    message = decide(stuck).message
    assert "could not be killed, and the worker sets its slot aside" in message
    assert "stuck in the kernel" in message
    assert not message.startswith("Killed")
    warning = decide(replace(stuck, limit=None, outcome=SUCCESS, lingered=True)).warning
    assert "could not be killed" in str(warning)
    assert "nfs_wait" in str(warning)


def test_the_warning_of_a_child_that_lingered_says_where() -> None:
    lingered = replace(
        ENDED, outcome=SUCCESS, killed=True, lingered=True, stack='  File "b.py", line 4 in run'
    )
    assert "line 4 in run" in str(decide(lingered).warning)


numbers = some.floats(0, 1e6)
endings = some.builds(
    Ending,
    usage=some.builds(Usage, numbers, some.none() | numbers, some.none() | numbers),
    limits=some.builds(Limits, *[numbers] * 4, some.booleans(), some.integers(0, 999), numbers),
    outcome=some.none()
    | some.builds(
        OutcomeSeen, some.booleans(), some.text(max_size=5), some.none() | some.booleans(), some.booleans()
    ),
    limit=some.none() | some.builds(LimitHit, some.sampled_from(LimitKind), numbers),
    exit_status=some.none()
    | some.builds(ExitStatus, code=some.none() | some.integers(0, 255))
    | some.builds(ExitStatus, signal_name=some.sampled_from(["SIGKILL", "SIGSEGV", "SIGRTMIN+16"])),
    killed=some.booleans(),
    channel_problem=some.none() | some.text(max_size=5),
    channel_closed=some.booleans(),
    lingered=some.booleans(),
    stack=some.text(max_size=5),
    last_output=some.text(max_size=5),
    leftover_processes=some.integers(0, 5),
    kernel=some.none() | some.builds(KernelView, some.sampled_from(["", "R", "S", "D", "T", "X"])),
    silent_seconds=some.none() | numbers,
    unkillable=some.booleans(),
    out_of_memory=some.none() | some.builds(OutOfMemory, some.integers(1, 9), some.none() | numbers),
)


@given(endings)
def test_every_ending_has_exactly_one_true_verdict(ending: Ending) -> None:
    verdict = decide(ending)
    assert isinstance(verdict, Verdict)
    told_success = ending.outcome is not None and ending.outcome.success
    assert verdict.success == (told_success and ending.limit is None)
    assert verdict.success == (verdict.cause is Cause.COMPLETED)
    assert verdict.keeps_outcome == (ending.outcome is not None and ending.limit is None)
    assert verdict.message or verdict.keeps_outcome


def test_what_the_child_says_of_the_block_is_a_warning_beside_all_others() -> None:
    outcome = replace(SUCCESS, warning="line 3 calls confirm() without await")
    assert decide(replace(ENDED, outcome=outcome)).warning == "line 3 calls confirm() without await"
    lingered = decide(replace(ENDED, outcome=outcome, lingered=True)).warning
    assert lingered is not None
    assert lingered.startswith("line 3 calls confirm() without await; its process did not end")
