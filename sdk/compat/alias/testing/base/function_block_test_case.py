"""Test cases that stand above a block: those of `sdk.testing`."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from sdk.block import FunctionBlock as _FunctionBlock
from sdk.compat.migration_hints import mapped
from sdk.context import WorkflowContext as _WorkflowContext
from sdk.models import FunctionBlockParams, FunctionBlockResultData
from sdk.results import FunctionBlockResult

P = TypeVar("P", bound=FunctionBlockParams)
R = TypeVar("R", bound=FunctionBlockResultData)


class FunctionBlockTestCase(Generic[P, R]):
    """A case that a test runs itself, in its own process: `await FunctionBlockTestCase(...).execute()`."""

    def __init__(
        self,
        fb_cls: type[_FunctionBlock[P, R]],
        params: P,
        context: _WorkflowContext,
        *,
        test_id: str | None = None,
        succeeds: bool = True,
        expected_result_data: R | None = None,
        assertions: Sequence[Callable[[FunctionBlockResult[R]], bool]] | None = None,
    ) -> None:
        self.id = test_id or create_safe_test_id(fb_cls.__name__)
        self.fb_cls = fb_cls
        self.params = params
        self.context = context
        self.succeeds = succeeds
        self.expected_result_data = expected_result_data
        self.assertions = list(assertions or ())

    async def execute(self) -> FunctionBlockResult[R]:
        """Run the block, check its result, and return it. Raises `AssertionError` and what the block raises."""
        result = await self.fb_cls().execute_function_block(
            self.params, self.context, propagate_exceptions=True
        )
        _check(result.success == self.succeeds, f"success is {result.success}: {result.message}")
        if self.expected_result_data is not None:
            _check(result.data == self.expected_result_data, f"the data is not as expected: {result.data!r}")
        for number, assertion in enumerate(self.assertions, start=1):
            _check(bool(assertion(result)), f"assertion {number} is not true")
        return result


def create_safe_test_id(base: str) -> str:
    """`base` as a part of a Python name."""
    return re.sub(r"\W+", "_", base.lower()).strip("_")


def _check(is_so: bool, otherwise: str) -> None:
    if not is_so:
        raise AssertionError(otherwise)


__getattr__ = mapped(__name__, {"fb_test_case": "sdk.testing", "fb_test_case_with_lab": "sdk.testing"})
