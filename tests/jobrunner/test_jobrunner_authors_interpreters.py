"""Blocks that start interpreters of their own: functions of their modules are found there."""

from collections.abc import Iterator
from typing import Any

import pytest
from hosting import Host, hosted

BLOCK = """
import multiprocessing

import multiprocess
from neops_worker_sdk.function_block.function_block import FunctionBlockResultData as Base
from sdk import (
    FunctionBlock, FunctionBlockParams, FunctionBlockResult, FunctionBlockResultData, Registration,
    register_function_block,
)


class Params(FunctionBlockParams):
    library: str
    method: str


class Data(FunctionBlockResultData):
    value: int


class Worked(Base):
    value: int


def work(number):
    return Worked(value=number * number)


@register_function_block(Registration(
    package="under_test", name="starts", description="Starts", run_on="global", fb_type="execute",
    param_cls=Params, result_cls=Data,
))
class Starts(FunctionBlock[Params, Data]):
    async def run(self, params, context):
        library = multiprocessing if params.library == "multiprocessing" else multiprocess
        with library.get_context(params.method).Pool(1) as pool:
            worked = pool.apply_async(work, (7,)).get(60)
        return FunctionBlockResult(success=True, message="Worked", data=Data(value=worked.value))
"""


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """A host of a directory that is no package."""
    # Short names: the fork server makes a socket in the job's directory, whose path may have 107 characters.
    directory = tmp_path_factory.mktemp("a") / "b"
    directory.mkdir()
    (directory / "starts.py").write_text(BLOCK)
    with hosted(directory.parent, sources=[str(directory)]) as running:
        yield running


@pytest.mark.parametrize(
    ("library", "method"),
    [("multiprocessing", "spawn"), ("multiprocessing", "forkserver"), ("multiprocess", "spawn")],
)
def test_a_function_of_a_block_s_module_is_found_in_an_interpreter_that_the_block_starts(
    host: Host, library: str, method: str
) -> None:
    done: dict[str, Any] = host.run("under_test/starts", {"library": library, "method": method})
    assert done["cause"] == "completed", done["message"]
