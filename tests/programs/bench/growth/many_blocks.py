"""5, 50 and 500 blocks: what a job costs where the worker offers many. One job of each worker in turn."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

from tests.programs.bench.distribution import Distribution
from tests.programs.bench.engine import check_success, claim_to_result, records_of
from tests.programs.bench.figures import Figure, Target
from tests.programs.bench.growth.setup import COMPARED_BLOCKS, ECHO, GROWN_BLOCKS, Setup
from tests.programs.bench.stage import Stage, database_of, staged

NUMBERS: Final = (5, 50, 500)
RATIO_TARGET: Final = 1.05
_OWN_BLOCKS: Final = 4
"""Echo and those of the other cases."""
_WARM_UP_JOBS: Final = 10
_PACE_SECONDS: Final = 0.1
_MODULE: Final = '''"""Blocks that are never run."""

from pydantic import Field

from sdk import FunctionBlock, FunctionBlockParams, FunctionBlockResult, FunctionBlockResultData, Registration
from sdk import register_function_block

class Params(FunctionBlockParams):
    text: str = Field(description="The text to give back")


class Result(FunctionBlockResultData):
    text: str

'''
_BLOCK: Final = """
@register_function_block(Registration(
    package="neops_bench", name="never_run_{number}", version=(1, 0, 0), description="Is never run",
    run_on="global", fb_type="none", param_cls=Params, result_cls=Result, is_pure=True, is_idempotent=True,
))
class NeverRun{number}(FunctionBlock[Params, Result]):
    async def run(self, params, context):
        return FunctionBlockResult(success=True, message="", data=Result(text=params.text))
"""


async def measure(setup: Setup) -> list[Figure]:
    """Run echo jobs on a worker for each number of blocks, one in turn, and compare the medians."""
    async with AsyncExitStack() as running:
        stages: dict[int, Stage] = {}
        for number in NUMBERS:
            blocks = setup.directory / f"{number}-blocks"
            _write(blocks, number - _OWN_BLOCKS)
            options = setup.worker(poll_seconds=0.05, blocks=(COMPARED_BLOCKS, GROWN_BLOCKS, str(blocks)))
            stages[number] = await running.enter_async_context(
                staged(setup.directory / f"with-{number}", options)
            )
        last: dict[int, list[str]] = {}
        for turn in range(_WARM_UP_JOBS + setup.count(100, 10)):
            # There and back, so that a steady drift of the machine meets all alike.
            for number in NUMBERS if turn % 2 else NUMBERS[::-1]:
                last[number] = await stages[number].engine.submit(ECHO, [{"text": f"turn {turn}"}])
                await asyncio.sleep(_PACE_SECONDS)
        for number, stage in stages.items():
            await stage.engine.wait_for(last[number], 60)
    p50 = {number: await _p50(setup.directory / f"with-{number}") for number in NUMBERS}
    return [
        *(Figure(f"claim → result, p50, {number} blocks", p50[number] * 1000, "ms") for number in NUMBERS),
        Figure(
            f"  {NUMBERS[-1]} ÷ {NUMBERS[0]} blocks", p50[NUMBERS[-1]] / p50[NUMBERS[0]], "times",
            Target(RATIO_TARGET),
        ),
    ]  # fmt: skip


async def _p50(directory: Path) -> float:
    records = await records_of(database_of(directory))
    check_success(records)
    return Distribution.of(claim_to_result(records[_WARM_UP_JOBS:])).p50


def _write(directory: Path, blocks: int) -> None:
    directory.mkdir()
    text = _MODULE + "".join(_BLOCK.format(number=number) for number in range(blocks))
    (directory / "never_run.py").write_text(text, encoding="utf-8")
