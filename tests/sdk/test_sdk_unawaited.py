"""A call without `await` is told with the block's own line."""

import asyncio
import sys
import warnings

import pytest
from sdk_support import TextParams, TextResult, outcome_of

from sdk import FunctionBlock, FunctionBlockResult, WorkflowContext
from sdk.unawaited import telling_of_unawaited


async def _confirm() -> None: ...


class Forgets(FunctionBlock[TextParams, TextResult]):
    async def run(self, params: TextParams, context: WorkflowContext) -> FunctionBlockResult[TextResult]:
        forgotten = _confirm()  # this is the line
        del forgotten
        await asyncio.sleep(0)
        return FunctionBlockResult(success=True, message="done")


LINE = Forgets.run.__code__.co_firstlineno + 1


@pytest.mark.filterwarnings("always:coroutine:RuntimeWarning")
async def test_a_forgotten_await_is_a_warning_of_the_outcome_with_the_line_of_the_call() -> None:
    outcome = await outcome_of(Forgets)
    assert outcome.success
    assert outcome.warnings == (
        f"Line {LINE} of {__file__} calls _confirm() without await, so it did not run. "
        "Write await before the call.",
    )
    assert outcome.not_awaited == outcome.warnings


@pytest.mark.filterwarnings("always:coroutine:RuntimeWarning")
async def test_pythons_own_warning_is_shown_too() -> None:
    with warnings.catch_warnings(record=True) as shown:
        await outcome_of(Forgets)
    assert ["was never awaited" in str(each.message) for each in shown] == [True]


def test_other_warnings_are_left_alone_and_everything_is_as_before_afterwards() -> None:
    told: list[str] = []
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        before = warnings.showwarning
        with telling_of_unawaited(told.append):
            assert sys.get_coroutine_origin_tracking_depth() == 1
            warnings.warn("something else", RuntimeWarning, stacklevel=1)
        # Looked at here: at its own end, catch_warnings puts back what was there.
        assert (warnings.showwarning, sys.get_coroutine_origin_tracking_depth()) == (before, 0)
        assert [str(each.message) for each in shown] == ["something else"]
    assert told == []
