"""`@fb_test_case` and `@fb_test_case_with_lab`: tests that you write above the block that they test."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel

from sdk.block import FunctionBlock
from sdk.context import WorkflowContext
from sdk.testing.case import Case
from sdk.testing.lab_cases import Lab, LabParams, check_lab_case

BlockT = TypeVar("BlockT", bound=FunctionBlock[Any, Any])
# Any: the data of a result may be None. An assertion that checks for this first would not fit in a line.
Assertions = Sequence[Callable[[Any], object]]


def fb_test_case(
    test_description: str,
    params: BaseModel | Mapping[str, Any],
    context: WorkflowContext | Mapping[str, Any] | None,
    *,
    succeeds: bool = True,
    expected_result_data: BaseModel | Mapping[str, Any] | None = None,
    assertions: Assertions | None = None,
    max_seconds: float | None = None,
    grace_seconds: float | None = None,
    max_memory_mb: int | None = None,
    max_cpu_seconds: float | None = None,
    in_process: bool | None = None,
) -> Callable[[type[BlockT]], type[BlockT]]:
    """Add a test of the decorated block to its module, and return the block unchanged.

    The test, `test_<class>_<description>`, runs the block like `block_runner.run`, with a copy of `context`
    for each run. `-m function_block` and `-m asyncio` select it. It passes if

    * the block returned what `succeeds` says. A block that was killed or crashed always fails the test. A block that
      raised has failed, as in production (`block_runner` shows the difference: cause `block_raised`);
    * `expected_result_data`, if given, is equal to the result's data as JSON;
    * each of `assertions` returns something true for the result. They run in the process of the tests, and may
      also `assert`.

    `max_seconds`, `grace_seconds`, `max_memory_mb`, `max_cpu_seconds` and `in_process` are those of
    `block_runner.run`.

    Outside of pytest it does nothing, and imports nothing: a worker that loads the block does not pay for its tests.
    pytest collects the module if its name fits `python_files`.
    """
    case = Case(
        description=test_description,
        params=params,
        context=context,
        succeeds=succeeds,
        expected_data=expected_result_data,
        assertions=tuple(assertions or ()),
        options={
            "max_seconds": max_seconds,
            "grace_seconds": grace_seconds,
            "max_memory_mb": max_memory_mb,
            "max_cpu_seconds": max_cpu_seconds,
            "in_process": in_process,
        },
        where=_place_of_caller(),
    )
    return _adding(case)


def fb_test_case_with_lab(
    test_description: str,
    params: LabParams,
    run_on: str = "device",
    base_devices: Iterable[Any] | None = None,
    base_device_groups: Iterable[Any] | None = None,
    *,
    remote_lab_fixture: str | None = None,
    succeeds: bool = True,
    expected_result_data: BaseModel | Mapping[str, Any] | None = None,
    assertions: Assertions | None = None,
    max_seconds: float | None = None,
    grace_seconds: float | None = None,
    max_memory_mb: int | None = None,
    max_cpu_seconds: float | None = None,
    in_process: bool | None = None,
) -> Callable[[type[BlockT]], type[BlockT]]:
    """Add a test of the decorated block with the devices of a lab. Like `fb_test_case`, except for the context.

    `remote_lab_fixture` is the name of a pytest fixture that yields the lab's devices: `simple_iol` of this
    package, a fixture of a remote lab, or your own (what it may yield: `sdk.testing.labs.devices_of`). With it, the
    test has the marker `remote_lab`. A job on a device runs on the lab's first device; without a lab, on the first of
    `base_devices`. A job on a group runs on the first of `base_device_groups`. The context has the lab's devices, then
    the base devices, as new objects in each run.

    `params` may be a function: it gets the list that the fixture yielded, and returns the parameters.
    The TCP port of an emulated device is in its connection options (`{"port": 2222}`).

    Without `expected_result_data` and `assertions` the job must succeed, with any data.

    Under pytest, raises `ValueError` for a case that can't run: there is nothing to run on, or the fixture is not
    given by its name.
    """
    lab = Lab(remote_lab_fixture, run_on, tuple(base_devices or ()), tuple(base_device_groups or ()), params)
    case = Case(
        description=test_description,
        params={},
        context=None,
        succeeds=succeeds,
        expected_data=expected_result_data,
        assertions=tuple(assertions or ()),
        options={
            "max_seconds": max_seconds,
            "grace_seconds": grace_seconds,
            "max_memory_mb": max_memory_mb,
            "max_cpu_seconds": max_cpu_seconds,
            "in_process": in_process,
        },
        where=_place_of_caller(),
    )
    if _runs_under_pytest():
        check_lab_case(case, lab)
    return _adding(case, lab)


def _adding(case: Case, lab: Lab | None = None) -> Callable[[type[BlockT]], type[BlockT]]:
    """Return a decorator that adds the test of `case` to a block's module if tests run, and otherwise does nothing."""

    def add(cls: type[BlockT]) -> type[BlockT]:
        if _runs_under_pytest():
            # A worker that loads the block may have no pytest to import.
            from sdk.testing.case_functions import add_test

            add_test(cls, case, lab)
        return cls

    return add


def _place_of_caller() -> str:
    frame = sys._getframe(2)
    # As pytest writes it: a short path if it is below the current directory.
    file = frame.f_code.co_filename.removeprefix(os.path.join(os.getcwd(), ""))
    return f"{file}:{frame.f_lineno}"


def _runs_under_pytest() -> bool:
    """Whether tests run here. If so, pytest was imported before any of their modules."""
    return sys.modules.get("pytest") is not None
