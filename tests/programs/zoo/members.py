"""Every member of the zoo, and how its job must end. One row each; causes are those of `supervisor.verdict.Cause`."""

from dataclasses import dataclass, field
from typing import Any, Final

COMPLETED: Final = ("completed",)
RAISED: Final = ("block_raised",)
FAILED: Final = ("block_failed",)
TIME: Final = ("time_limit",)
MEMORY: Final = ("memory_limit",)
CRASHED: Final = ("crashed",)
EXITED: Final = ("exited",)
CLOSED: Final = ("channel_closed",)
FRAME: Final = ("bad_frame",)

SECRET: Final = "zoo-Secret-7f3a"
CONTAINED_BY: Final = "neops_testing/kill_parent"
"""Its end tells whether jobs can signal what is not theirs. If they can, the blocks that would do so are not run."""


@dataclass(frozen=True, slots=True)
class Member:
    """One job. `told` must be a part of its result's message, and `SECRET` must not.

    `causes` are those that are right; which one it is may depend on how fast this machine is.
    `extra_seconds` is what its end may take beyond limit and grace (removing what it has left on the disk, killing
    hundreds of processes on cores that others use).
    """

    block: str
    causes: tuple[str, ...]
    told: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)
    extra_seconds: float = 0.0
    needs_containment: bool = False

    @property
    def name(self) -> str:
        """How the table calls it."""
        given = " ".join(str(value) for value in self.parameters.values() if value != SECRET)
        return f"{self.block.partition('/')[2]} {given}".strip()

    @property
    def tells_place(self) -> bool:
        """Whether its message must tell where the block was, which the worker asks the block's process for."""
        return self.causes == TIME and (self.told.endswith(".py") or self.told == "Where it was")

    @property
    def succeeds(self) -> bool:
        """Whether its result must be a success. Only a completed job is one, and each of these is."""
        return self.causes == COMPLETED


def _testing(block: str, causes: tuple[str, ...], told: str = "", /, **parameters: Any) -> Member:
    return Member(f"neops_testing/{block}", causes, told, parameters)


def _zoo(name: str, causes: tuple[str, ...], told: str = "", **more: Any) -> Member:
    return Member(f"neops_zoo/{name}", causes, told, **more)


ENDS: Final = (
    Member(CONTAINED_BY, RAISED, "PermissionError"),
    _testing("segfault", CRASHED, "SIGSEGV"),
    _testing("exit_code", EXITED, "exit code 0", code=0),
    _testing("exit_code", EXITED, "exit code 7", code=7),
    _testing("sys_exit", RAISED, "SystemExit"),
    _testing("signal_itself", CRASHED, "SIGABRT", name="SIGABRT"),
    _testing("signal_itself", CRASHED, "SIGKILL", name="SIGKILL"),
    _testing("signal_itself", CRASHED, "SIGTERM", name="SIGTERM"),
    _testing("replace_process", CLOSED, "exec"),
    _testing("returns_twice", COMPLETED, "The parent"),
    _testing("raise_error", RAISED, "ValueError"),
    _testing("raise_base_exception", RAISED, "PlannedBaseException"),
    _testing("raise_unprintable", RAISED, "UnprintableError"),
    _testing("raise_interrupt", RAISED, "KeyboardInterrupt"),
    _testing("cancel_itself", RAISED, "cancelled"),
    _testing("no_result", FAILED, "returned nothing"),
    _testing("not_json_result", FAILED, "JSON"),
    _testing("nan_result", FAILED, "JSON"),
    _testing("big_result", FAILED, "--max-result-mb", mb=20),
    _testing("circular_result", FAILED, "JSON"),
    _testing("deep_result", FAILED, "JSON"),
    _testing("close_fds", CLOSED, "closed the descriptor", first=0),
    _testing("close_fds", CLOSED, "closed the descriptor", first=3),
    _testing("thread_leak", COMPLETED),
    _testing("leave_behind", COMPLETED),
    _testing("invalid_utf8", COMPLETED),
    _testing("writes_env", COMPLETED),
    _testing("secret_in_error", RAISED, "***", secret=SECRET),
    _testing("output_flood", ("completed", "time_limit"), mb=200, stream="stdout"),
    _testing("output_flood", ("completed", "time_limit"), mb=16, stream="log"),
)

HANGS: Final = (
    _testing("hang_await", TIME, "hangs.py"),
    _testing("hang_sleep", TIME, "hangs.py"),
    _testing("spin", TIME, "hangs.py"),
    _testing("gil_hog", TIME, "hangs.py", mode="sleep"),
    _testing("gil_hog", TIME, "hangs.py", mode="power"),
    _testing("regex_hang", TIME, "hangs.py"),
    _testing("ignores_cancel", TIME),
    _testing("slow_cleanup", TIME),
    _testing("finishes_late", TIME, "timing.py"),
    _testing("block_signals", TIME),
    _testing("signal_itself", TIME, name="SIGSTOP"),
    _testing("ignore_sigterm_tree", TIME, "descendants.py"),
    _testing("eat_memory", MEMORY, "150 MB", mb=400, mb_per_second=400),
)

PROCESSES: Final = (
    _zoo("kill_group", CRASHED, "SIGKILL"),
    _zoo("kill_everyone", ("completed", "block_failed", "block_raised", "crashed"), needs_containment=True),
    _zoo("kill_ancestors", COMPLETED, needs_containment=True),
    _zoo("stop_parent", RAISED, "PermissionError", needs_containment=True),
    _zoo("trace_parent", RAISED, "Operation not permitted", needs_containment=True),
    _zoo("write_parent_memory", RAISED, "PermissionError", needs_containment=True),
    _zoo("fork_and_setsid", COMPLETED),
    _zoo("terminal_that_ends", COMPLETED),
    _zoo("daemon_on_stdout", COMPLETED),
    _zoo("clean_environment_daemon", COMPLETED),
    _zoo("respawning_daemon", COMPLETED),
    _zoo("fork_bomb", TIME, "zoo_processes.py", extra_seconds=1.0),
    _zoo("fork_bomb_setsid", TIME, "zoo_processes.py", extra_seconds=1.0),
    _zoo("thread_bomb", TIME, "Where it was", extra_seconds=1.0),
    _zoo("memory_in_descendant", MEMORY, "150 MB"),
    _zoo("lower_oom_score", MEMORY, "150 MB"),
)

CHANNEL: Final = (
    _zoo("channel_garbage", FRAME, "wrote to the worker's own descriptor"),
    _zoo("channel_half_frame", FRAME, "ended inside a frame"),
    _zoo("channel_oversized", FRAME, "is over"),
    _zoo("channel_wrong_type", FRAME, "not a valid header"),
    _zoo("channel_many_fields", FRAME, "not a valid header"),
    _zoo("channel_second_ready", COMPLETED),
    _zoo("channel_fake_success", COMPLETED, "Fake"),
    _zoo("channel_fake_not_json", FRAME, "not JSON"),
    _zoo("channel_outcome_flood", FAILED, "mmm"),
    _zoo("channel_log_flood", ("completed", "time_limit")),
    _zoo("channel_closed_and_hang", CLOSED, "closed the descriptor"),
    _zoo("channel_shut_down", ("channel_closed", "exited")),
    _zoo("channel_replaced", CLOSED, "closed the descriptor"),
    # Completed where the worker reads as fast as the child writes.
    _zoo("channel_without_waiting", ("bad_frame", "channel_closed", "completed")),
    _zoo("channel_read_away", TIME, "zoo_channel.py"),
)

INTERPRETER: Final = (
    _zoo("break_json", ("completed", "block_failed", "block_raised", "exited")),
    _zoo("break_asyncio", COMPLETED),
    _zoo("break_exit", COMPLETED),
    _zoo("break_getpid", EXITED, "exit code 0"),
    _zoo("forget_modules", ("completed", "block_failed", "block_raised", "exited")),
    _zoo("change_sdk_classes", COMPLETED),
    _zoo("stop_loop", RAISED, "Event loop stopped"),
    _zoo("loop_exception_handler", ("completed", "block_failed", "block_raised", "exited")),
    _zoo("slow_callbacks", TIME),
    _zoo("undying_generator", COMPLETED),
    _zoo("undying_task", COMPLETED),
    _zoo("exit_handler_hangs", COMPLETED),
    _zoo("executor_thread_stuck", COMPLETED),
    _zoo("main_thread_lock", TIME, "zoo_interpreter.py"),
    _zoo("no_faulthandler", TIME),
    _zoo("other_faulthandler", TIME),
    _zoo("handler_for_every_signal", TIME),
    _zoo("no_garbage_collector", MEMORY, "150 MB"),
    _zoo("stack_overflow", ("crashed", "block_failed", "block_raised", "completed", "time_limit")),
    _zoo("own_rlimits", COMPLETED),
    _zoo("switch_interval", TIME, "zoo_interpreter.py"),
    _zoo("trace_function_raises", ("completed", "block_failed", "block_raised", "exited")),
)

FILES: Final = (
    # Under `--isolation kernel` a job can remove what is in its directory, and not the directory.
    _zoo("remove_job_directory", (*COMPLETED, *RAISED)),
    _zoo("replace_job_directory", (*COMPLETED, *RAISED)),
    _zoo("lock_job_directory", COMPLETED),
    _zoo("many_files", ("completed", "time_limit"), extra_seconds=3.0),
    _zoo("deep_directory", COMPLETED, extra_seconds=4.0),
    _zoo("strange_names", COMPLETED),
    _zoo("descriptor_leak", COMPLETED),
    _zoo("binary_output", ("completed", "time_limit")),
    _zoo("endless_line", ("completed", "time_limit")),
    _zoo("empty_lines", ("completed", "time_limit")),
    Member("neops_testing/fill_disk", FAILED, "room for all of it", {"max_mb": 64}, extra_seconds=1.0),
)

MEMBERS: Final = (*ENDS, *HANGS, *PROCESSES, *CHANNEL, *INTERPRETER, *FILES)
