"""The outcome of a block that was run in a separate process."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any, Final

from sdk.testing.assertions import OutcomeAssertions
from sdk.testing.evidence import LogLine, Stall

_DEBUGGER_HINT: Final = (
    "hint: a breakpoint() can't be answered in a process of the worker. Run the block in this one for it "
    "(in_process=True, or pytest --blocks-in-process), or take the breakpoint out."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockOutcome(OutcomeAssertions):
    """Everything that is known about the end of one run, and methods that assert on it (`assert_...`).

    `success`, `message`, `data`, `db_updates`, `acquires` and `retryable` are what the engine would get, in JSON's own
    types: `data` is a dict, `db_updates` the list of create, delete and patch items. The last three and `data` are
    None if there is nothing of that kind, and after a limit.

    `cause` says why the run ended: `completed`, `block_failed` (it returned failure, or its input or result did not
    fit), `block_raised`, `time_limit`, `memory_limit`, `cpu_limit`, `process_limit`, `stalled`, `crashed` (by
    `signal_name`), `exited` (with `exit_code`), `channel_closed` or `bad_frame`. `killed` says that the worker sent the
    signal. `job_type` is what was run: `execute`, `acquire` or `rollback`.

    `stalls` are the times in which the event loop did not run for `stall_seconds`. The log also has each of them.

    `logs` are the records of the block and of its libraries, from level INFO on unless you ask for another level.
    `stdout` and `stderr` are the last 64 KiB that were printed, without empty lines. `stack` says where the code
    was when it was killed or crashed. Secrets of the parameters and of the context are masked in all texts.
    """

    success: bool
    cause: str
    message: str
    job_type: str = "execute"
    data: dict[str, Any] | None = None
    db_updates: list[dict[str, Any]] | None = None
    acquires: list[dict[str, Any]] | None = None
    retryable: bool | None = None
    warning: str | None = None
    logs: tuple[LogLine, ...] = ()
    stalls: tuple[Stall, ...] = ()
    stdout: str = ""
    stderr: str = ""
    exit_code: int | None = None
    signal_name: str | None = None
    killed: bool = False
    stack: str = ""
    elapsed_seconds: float = 0.0
    peak_memory_mb: float | None = None
    cpu_seconds: float | None = None
    leftover_processes: int = 0

    @classmethod
    def from_answer(cls, answer: dict[str, Any], job_type: str = "execute") -> BlockOutcome:
        """Read what the block server sent about a run of `job_type`."""
        logs = tuple(LogLine(_parsed_level(line["level"]), line["message"]) for line in answer["logs"])
        stalls = tuple(Stall(stall["seconds"], stall["stack"]) for stall in answer["stalls"])
        return cls(**{**answer, "logs": logs, "stalls": stalls, "job_type": job_type})

    def report(self) -> str:
        """Return everything that helps to find the mistake, for the message of a failed assertion.

        `data` and updates are left out: they may hold what a device answered.
        """
        parts = [
            f"cause: {self.cause} ({_ending(self)}, {self.elapsed_seconds:.1f} s)",
            f"message: {self.message}",
        ]
        if "BdbQuit" in self.message:
            parts.append(_DEBUGGER_HINT)
        if self.warning:
            parts.append(f"warning: {self.warning}")
        if self.stack and self.stack not in self.message:
            parts.append(_section("where it was", self.stack))
        if self.logs:
            parts.append(_section("log", "\n".join(map(str, self.logs))))
        for name, text in (("stdout", self.stdout), ("stderr", self.stderr)):
            if text:
                parts.append(_section(name, text))
        return "\n".join(parts)


def _ending(outcome: BlockOutcome) -> str:
    if outcome.signal_name:
        return outcome.signal_name + (" from the worker" if outcome.killed else "")
    # There is none for a block that ran in the process of the tests, or whose process still exists.
    return "no exit code" if outcome.exit_code is None else f"exit code {outcome.exit_code}"


def _section(title: str, text: str) -> str:
    return f"{title}:\n" + "\n".join(f"    {line}" for line in text.rstrip().splitlines())


def _parsed_level(name: str) -> int:
    """Read a level as `logging` prints it: `WARNING`, or `Level 25` for a level without a name."""
    known = logging.getLevelNamesMapping()
    return known[name] if name in known else int(name.rpartition(" ")[2])
