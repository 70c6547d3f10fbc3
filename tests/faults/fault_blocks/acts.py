"""Blocks for the tests that inject faults: each run leaves one line in a trace file, then does what it is asked to."""

import asyncio
import importlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from pydantic import Field

from sdk import (
    FunctionBlock,
    FunctionBlockParams,
    FunctionBlockResult,
    FunctionBlockResultData,
    JobMeta,
    Registration,
    WorkflowContext,
    register_function_block,
)

HOSTILE = {
    "ends": ("Segfault", "ExitCode", "SysExit", "ReturnsTwice"),
    "errors": ("RaiseError", "RaiseBaseException"),
    "hangs": ("HangAwait", "HangSleep", "Spin", "GilHog"),
    "output": ("InvalidUtf8", "OutputFlood"),
    "resources": ("ThreadLeak", "CloseFds"),
    "results": ("NoResult", "NotJsonResult", "NanResult"),
    "timing": ("IgnoresCancel", "FinishesLate"),
}
SETTINGS: dict[str, dict[str, Any]] = {"OutputFlood": {"mb": 1}}
_SLEEP = "import time; time.sleep(600)"


class ActParams(FunctionBlockParams):
    """What to do."""

    act: str = Field(description="The name of the act")
    word: str = Field(description="What no other job has; it comes back in the result")
    trace: str = Field(description="The file to leave a line in: job, pid, start of the process, time")
    seconds: float = Field(default=0.1, description="How long a slow act takes")
    size: int = Field(default=200_000, description="Characters of a big result")


class ActResult(FunctionBlockResultData):
    """The word, and padding."""

    word: str
    padding: str = ""


def leave_trace(path: str, job_id: str) -> None:
    """Append one line in one write, which the kernel does not mix with others (O_APPEND)."""
    # Field 22 of proc_pid_stat(5); the name in parentheses may itself hold spaces.
    started = Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, f"{job_id} {os.getpid()} {started} {time.monotonic()}\n".encode())
    finally:
        os.close(descriptor)


def hostile_block(name: str) -> FunctionBlock[Any, Any] | None:
    """Return one of the blocks that misbehave; in the child, for else the worker would offer all of them."""
    for module, names in HOSTILE.items():
        if name in names:
            block: FunctionBlock[Any, Any] = getattr(
                importlib.import_module(f"blocks.testing.{module}"), name
            )()
            return block
    return None


class Acting(FunctionBlock[ActParams, ActResult]):
    """Leaves its trace, then acts."""

    async def run(
        self, params: ActParams, context: WorkflowContext, meta: JobMeta
    ) -> FunctionBlockResult[ActResult]:
        leave_trace(params.trace, meta.job_id)
        if (hostile := hostile_block(params.act)) is not None:
            assert hostile.registration is not None
            parameters = hostile.registration.param_cls(**SETTINGS.get(params.act, {}))
            returned = await hostile.run(parameters, context)
            if params.act in HOSTILE["results"]:
                return returned
        elif params.act == "slow":
            await asyncio.sleep(params.seconds)
        elif params.act == "raise":
            raise RuntimeError(f"Raised by {params.word}")
        elif params.act == "fail":
            return FunctionBlockResult(success=False, message=f"Failed as {params.word}")
        elif params.act == "kill_itself":
            os.kill(os.getpid(), signal.SIGKILL)
        elif params.act == "daemons":
            for new_session in (False, True):
                subprocess.Popen([sys.executable, "-I", "-S", "-c", _SLEEP], start_new_session=new_session)
        elif params.act == "log":
            for number in range(300):
                self.logger.info("line %d of %s", number, params.word)
            print(f"printed by {params.word}", flush=True)
        padding = "x" * params.size if params.act == "big" else ""
        data = ActResult(word=params.word, padding=padding)
        return FunctionBlockResult(success=True, message=f"Done: {params.word}", data=data)


def registration(name: str, *, is_pure: bool = False) -> Registration:
    return Registration(
        package="neops_faults",
        name=name,
        description="Acts as it is told, and leaves a trace",
        run_on="global",
        fb_type="execute",
        param_cls=ActParams,
        result_cls=ActResult,
        is_pure=is_pure,
        is_idempotent=is_pure,
    )


@register_function_block(registration("act"))
class Act(Acting):
    """Once."""


@register_function_block(registration("act_again", is_pure=True))
class ActAgain(Acting):
    """May be tried again by the engine, under the same job id."""
