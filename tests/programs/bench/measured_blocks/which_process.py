"""The block that the throughput is measured with: an echo that also says which process it ran in."""

import os

from pydantic import Field

from sdk import (
    FunctionBlock,
    FunctionBlockParams,
    FunctionBlockResult,
    FunctionBlockResultData,
    Registration,
    WorkflowContext,
    register_function_block,
)


class WhichProcessParams(FunctionBlockParams):
    """The text."""

    text: str = Field(description="The text to give back")


class WhichProcessResult(FunctionBlockResultData):
    """The text, and the process: its pid and its start (a pid alone may be used again)."""

    text: str
    pid: int
    started_ticks: int


@register_function_block(
    Registration(
        package="neops_bench",
        name="which_process",
        version=(1, 0, 0),
        description="Gives back the text, and says which process did it",
        markdown_helptext="For the benchmark: an echo that shows that each job has a process of its own.",
        run_on="global",
        fb_type="none",
        param_cls=WhichProcessParams,
        result_cls=WhichProcessResult,
        is_pure=True,
        is_idempotent=True,
    )
)
class WhichProcess(FunctionBlock[WhichProcessParams, WhichProcessResult]):
    """Gives back the text, and says which process did it."""

    async def run(
        self, params: WhichProcessParams, context: WorkflowContext
    ) -> FunctionBlockResult[WhichProcessResult]:
        """Return the text and this process; never fails."""
        with open("/proc/self/stat", encoding="utf-8") as file:
            # Field 22 of proc_pid_stat(5); the name in parentheses may itself hold spaces.
            started = int(file.read().rpartition(")")[2].split()[19])
        data = WhichProcessResult(text=params.text, pid=os.getpid(), started_ticks=started)
        return FunctionBlockResult(success=True, message="Echoed the text", data=data)
