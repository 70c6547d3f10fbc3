"""Authors who keep their blocks in a folder that is called as a package of ours: their lines are named all the same."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hosting import TAKES_ITS_STACK, Host, hosted, told

from supervisor.log.events.jobs import LoopBlocked

BLOCK = """
import asyncio
import time

from sdk import (
    FunctionBlock, FunctionBlockParams, FunctionBlockResult, FunctionBlockResultData, Registration,
    register_function_block,
)


class Params(FunctionBlockParams):
    how: str


class Data(FunctionBlockResultData):
    pass


@register_function_block(Registration(
    package="under_test", name="hangs", description="Hangs", run_on="global", fb_type="execute",
    param_cls=Params, result_cls=Data,
))
class Hangs(FunctionBlock[Params, Data]):
    async def run(self, params, context):
        if params.how == "await":
            await asyncio.sleep(600)  # awaits
        elif params.how == "sleep":
            time.sleep(600)  # sleeps
        elif params.how == "raise":
            raise ValueError("bad")  # raises
        else:
            base, exponent = 7, 10
            base**exponent**9  # holds
"""
LIMITS: dict[str, Any] = {"blocking_seconds": 0.2, "max_job_seconds": 3.0, "grace_seconds": 0.0}


def line_of(mark: str) -> int:
    return next(number for number, text in enumerate(BLOCK.splitlines(), 1) if text.endswith(f"# {mark}"))


@pytest.fixture(scope="module", params=["sdk", "jobrunner", "supervisor"])
def there(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A host whose block lies in a folder of this name, and the file."""
    directory: Path = tmp_path_factory.mktemp("author")
    file = directory / request.param / "job.py"
    file.parent.mkdir()
    file.write_text(BLOCK)
    with hosted(directory / "host", sources=[str(file.parent)]) as host:
        yield host, file


def run(there: tuple[Host, Path], how: str, **limits: float) -> dict[str, Any]:
    return there[0].run("under_test/hangs", {"how": how}, limits=LIMITS | limits, do=TAKES_ITS_STACK)


@pytest.mark.parametrize(("how", "mark"), [("sleep", "sleeps"), ("await", "awaits"), ("power", "holds")])
def test_the_result_of_a_hang_names_the_author_s_line(there: Any, how: str, mark: str) -> None:
    done = run(there, how, max_job_seconds=2.0)
    assert done["cause"] == "time_limit"
    assert f'File "{there[1]}", line {line_of(mark)} in run' in done["message"]
    assert "run_order" not in done["message"]


def test_a_blocked_loop_is_told_with_the_author_s_line(there: Any) -> None:
    done = run(there, "sleep")
    (warning,) = told(done, LoopBlocked)
    assert f'File "{there[1]}", line {line_of("sleeps")}, in run' in warning["explanation"]


def test_code_that_holds_the_gil_is_told_with_the_author_s_line(there: Any) -> None:
    done = run(there, "power", max_job_seconds=4.0)
    blocked = [event["explanation"] for event in told(done, LoopBlocked)]
    warnings = [text for text in blocked if "C code has held the GIL" in text]
    if done["cpu_seconds"] / done["elapsed"] < 0.5 and not warnings:
        pytest.skip("this job got too little of a processor to be seen holding the GIL")
    assert f'File "{there[1]}", line {line_of("holds")}, in run' in warnings[0]


def test_an_exception_names_the_author_s_line(there: Any) -> None:
    assert f"({there[1]}:{line_of('raises')} in run)" in run(there, "raise")["message"]
