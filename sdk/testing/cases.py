"""``@fb_test_case``: a test that stands at the block which it tests."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel

from sdk.block import FunctionBlock
from sdk.context import WorkflowContext
from sdk.results import FunctionBlockResult
from sdk.testing.checking import Case, failure_of

if TYPE_CHECKING:
    from sdk.testing.runner import BlockRunner

BlockT = TypeVar("BlockT", bound=FunctionBlock[Any, Any])


def fb_test_case(
    test_description: str,
    params: BaseModel | Mapping[str, Any],
    context: WorkflowContext | Mapping[str, Any] | None,
    *,
    succeeds: bool = True,
    expected_result_data: BaseModel | Mapping[str, Any] | None = None,
    assertions: Sequence[Callable[[FunctionBlockResult[Any]], object]] | None = None,
    max_seconds: float | None = None,
    grace_seconds: float | None = None,
    max_memory_mb: int | None = None,
) -> Callable[[type[BlockT]], type[BlockT]]:
    """Add a test of the decorated block to its module, and return the block unchanged.

    The test, ``test_<class>_<description>``, runs the block as ``block_runner.run`` does, with a copy of ``context``
    for each run, and has the marker ``function_block``. It passes when

    * the block returned as ``succeeds`` says. A block that was killed or crashed fails the test in any case, one that
      raised has failed, as in production (``block_runner`` tells the two apart: cause ``block_raised``);
    * ``expected_result_data``, if given, is equal to the result's data as JSON;
    * each of ``assertions`` returns something true for the result. They run in the process of the tests, and may
      also ``assert``.

    Outside pytest it does nothing, and imports nothing: a worker that loads the block does not pay for its tests.
    pytest collects the module when its name fits ``python_files``.
    """
    case = Case(
        description=test_description,
        params=params,
        context=context,
        succeeds=succeeds,
        expected_data=expected_result_data,
        assertions=tuple(assertions or ()),
        limits={
            "max_seconds": max_seconds,
            "grace_seconds": grace_seconds,
            "max_memory_mb": max_memory_mb,
        },
    )

    def add_test(cls: type[BlockT]) -> type[BlockT]:
        module = sys.modules.get(cls.__module__)
        # Where tests run, pytest is there before any module of theirs is imported.
        if sys.modules.get("pytest") is not None and module is not None:
            test = _test_of(cls, case)
            test.__name__ = test.__qualname__ = _free_name(vars(module), cls, case.description)
            setattr(module, test.__name__, test)
        return cls

    return add_test


def _test_of(cls: type[FunctionBlock[Any, Any]], case: Case) -> Any:
    pytest = sys.modules["pytest"]

    def test(block_runner: BlockRunner) -> None:
        __tracebackhide__ = True
        failure = failure_of(cls, case, block_runner)
        if failure is not None:
            pytest.fail(failure, pytrace=False)

    test.__doc__ = case.description
    test.__module__ = cls.__module__
    marked: Any = pytest.mark.function_block(test)
    # pytest's own attribute for "this is where it belongs": it reports the block's line, not one of this file.
    marked.place_as = cls
    marked.neops_block = cls
    return marked


def _free_name(names: Mapping[str, Any], cls: type, description: str) -> str:
    """Return a name for the test. Two cases of one block with one description must not be one test."""
    wanted = name = slug(f"test_{cls.__name__}_{description}")
    number = 1
    # A test of an earlier import of the module is of another class object, and gives way.
    while getattr(names.get(name), "neops_block", None) is cls:
        number += 1
        name = f"{wanted}_{number}"
    return name


def slug(text: str) -> str:
    """Return ``text`` as a part of a Python name: lower case, all but letters, digits and ``_`` as one ``_``."""
    return re.sub(r"\W+", "_", text.lower()).strip("_")
