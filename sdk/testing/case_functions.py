"""Makes a test function in the block's module from a case. Only imported under pytest."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from sdk.block import FunctionBlock
from sdk.testing.case import Case, failure_of
from sdk.testing.errors import HarnessError
from sdk.testing.lab_cases import Lab, with_lab

if TYPE_CHECKING:
    from sdk.testing.runner import BlockRunner


def add_test(cls: type[FunctionBlock[Any, Any]], case: Case, lab: Lab | None = None) -> None:
    """Add a test for `case` to the module of `cls`."""
    module = sys.modules.get(cls.__module__)
    if module is None:
        return
    test = _test_of(cls, case, lab)
    test.__doc__ = case.description
    test.__module__ = cls.__module__
    # pytest's own attribute for the place of a test: it then reports the block's line, not a line of this file.
    test.place_as = cls
    test.neops_block = cls
    # After a reload it is another object: the tests of the earlier import are still in the module.
    test.neops_import = module.__spec__
    _name_all(module, [*_take_tests(module, cls), test])


def _take_tests(module: ModuleType, cls: type) -> list[Any]:
    """Remove the tests of `cls` from its module, and return them in the order in which they were added: bottom up.

    Tests of an earlier import of the module are also removed, but not returned.
    """
    ours = {
        name: vars(each)
        for name, each in vars(module).items()
        if isinstance(each, FunctionType) and "neops_block" in vars(each)
    }
    earlier = [name for name, facts in ours.items() if facts["neops_import"] is not module.__spec__]
    names = [name for name, facts in ours.items() if facts["neops_block"] is cls and name not in earlier]
    for name in earlier:
        del vars(module)[name]
    return [vars(module).pop(name) for name in names]


def _name_all(module: ModuleType, tests: Sequence[Any]) -> None:
    """Put `tests` into the module. Tests with the same name get numbers, in reading order: from the top.

    So does a test whose name exists in the module: from the test of another class, or one of the author's own.
    """
    taken = set(vars(module))
    for test in reversed(tests):
        wanted = name = slug(f"test_{test.neops_block.__name__}_{test.__doc__}")
        number = 1
        while name in taken:
            number += 1
            name = f"{wanted}_{number}"
        taken.add(name)
        test.__name__ = test.__qualname__ = name
    for test in tests:
        setattr(module, test.__name__, test)


def _test_of(cls: type[FunctionBlock[Any, Any]], case: Case, lab: Lab | None) -> Any:
    def check(block_runner: BlockRunner, case: Case) -> None:
        __tracebackhide__ = _unless_it_is_told
        failure = failure_of(cls, case, block_runner)
        if failure is not None:
            pytest.fail(failure, pytrace=False)

    def test(block_runner: BlockRunner) -> None:
        __tracebackhide__ = _unless_it_is_told
        check(block_runner, case)

    def test_with_lab(block_runner: BlockRunner, request: pytest.FixtureRequest) -> None:
        __tracebackhide__ = _unless_it_is_told
        assert lab is not None
        yielded = request.getfixturevalue(lab.fixture) if lab.fixture is not None else None
        try:
            ready = with_lab(case, lab, yielded)
        except HarnessError as error:
            pytest.fail(f"{case}: {error}", pytrace=False)
        check(block_runner, ready)

    marked: Any = pytest.mark.function_block(test if lab is None else test_with_lab)
    if lab is not None and lab.fixture is not None:
        # A parameter, not only a request while the test runs: pytest sets fixtures up, and plugins sort tests, by it.
        marked = pytest.mark.remote_lab(pytest.mark.usefixtures(lab.fixture)(marked))
    return marked


def _unless_it_is_told(error: pytest.ExceptionInfo[BaseException]) -> bool:
    """Hide our frames below the author's. A failed case is reported in words, without frames; pytest needs one then."""
    return not isinstance(error.value, pytest.fail.Exception)


def slug(text: str) -> str:
    """Return `text` as a part of a Python name: in lower case, with one `_` for all but letters, digits and `_`."""
    return re.sub(r"\W+", "_", text.lower()).strip("_")
