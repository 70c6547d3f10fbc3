"""Blocks that fill a directory, set a terminal, and print a lot."""

import asyncio
import os
import termios
from typing import Literal

from pydantic import Field

from sdk import (
    FunctionBlock,
    FunctionBlockParams,
    FunctionBlockResult,
    FunctionBlockResultData,
    WorkflowContext,
    register_function_block,
)

from .attacking import attacking


class LitterParams(FunctionBlockParams):
    """What is done, to what, how often."""

    kind: Literal["files", "tostop", "lines", "wait"]
    path: str = Field(default="", description="The terminal")
    number: int = Field(default=1, description="How many files or lines")
    seconds: float = Field(default=0.0, description="How long it waits then")


class LitterResult(FunctionBlockResultData):
    """Where it was done."""

    directory: str


@register_function_block(
    attacking(
        "litter",
        "Fills its directory, the log, or sets a terminal",
        LitterParams,
        LitterResult,
        is_pure=False,
    )
)
class Litter(FunctionBlock[LitterParams, LitterResult]):
    """Leaves something behind."""

    async def run(self, params: LitterParams, context: WorkflowContext) -> FunctionBlockResult[LitterResult]:
        if params.kind == "files":
            for number in range(params.number):
                os.close(os.open(f"f{number}", os.O_CREAT | os.O_WRONLY))
        elif params.kind == "tostop":
            terminal = os.open(params.path, os.O_RDWR | os.O_NOCTTY)
            attributes = termios.tcgetattr(terminal)
            attributes[3] |= termios.TOSTOP
            termios.tcsetattr(terminal, termios.TCSANOW, attributes)
        elif params.kind == "lines":
            for number in range(params.number):
                print(f"{number} " + "x" * 500)
        await asyncio.sleep(params.seconds)
        return FunctionBlockResult(success=True, message="Done", data=LitterResult(directory=os.getcwd()))
