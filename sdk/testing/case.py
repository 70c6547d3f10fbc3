"""Compares one test case with its outcome."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, ValidationError

from sdk.block import FunctionBlock
from sdk.context import WorkflowContext
from sdk.encoding import to_plain
from sdk.errors import SdkError, join_problems
from sdk.parsing.problems import problems_of
from sdk.results import FunctionBlockResult
from sdk.testing.differences import difference, is_same
from sdk.testing.outcome import BlockOutcome
from sdk.testing.wire import as_input

if TYPE_CHECKING:
    from sdk.testing.runner import BlockRunner

Assertion = Callable[[Any], object]

_WORKERS_ADVICE: Final = "If it needs longer, raise --max-job-seconds."

_RETURNED = frozenset({"completed", "block_failed", "block_raised"})


@dataclass(frozen=True, slots=True)
class Case:
    """The contents of a test case. See `sdk.testing.fb_test_case`."""

    description: str
    params: BaseModel | Mapping[str, Any] = field(repr=False)
    context: WorkflowContext | Mapping[str, Any] | None = field(repr=False)
    succeeds: bool
    expected_data: BaseModel | Mapping[str, Any] | None
    assertions: tuple[Assertion, ...]
    options: Mapping[str, Any]
    where: str
    """File and line of the decorator."""

    def __str__(self) -> str:
        return f"Case {self.description!r} ({self.where})"


def failure_of(cls: type[FunctionBlock[Any, Any]], case: Case, runner: BlockRunner) -> str | None:
    """Run `case` and return what is wrong with its outcome, for a person; None if nothing is wrong.

    An exception from one of the case's assertions passes, with the run's report added to it.
    """
    __tracebackhide__ = True
    params: Any = case.params
    try:
        outcome = runner.run(cls, params, case.context, **case.options)
        wrong = _wrong_end(case, outcome) or _wrong_data(case, outcome)
    except SdkError as error:  # it was not run, or the data that it expects is not JSON
        return f"{case}: {error}"
    if wrong is None and case.assertions:
        result = _result_of(cls, outcome)
        wrong = result if isinstance(result, str) else _first_false(case, result, outcome)
    return None if wrong is None else f"{case}: {wrong}\n{_report(case, outcome)}"


def _report(case: Case, outcome: BlockOutcome) -> str:
    """Return the report, with the case's own advice about a limit: only the worker's operator can use the usual one."""
    own = case.options.get("max_seconds")
    report = outcome.report()
    if own is None:
        return report
    return report.replace(
        _WORKERS_ADVICE,
        f"That is the limit of this case: if it needs longer, raise max_seconds at {case.where}.",
    )


def _wrong_end(case: Case, outcome: BlockOutcome) -> str | None:
    if outcome.cause not in _RETURNED:
        return "The block did not return a result."
    if outcome.success == case.succeeds:
        return None
    return "The block failed." if case.succeeds else "The block succeeded, and was expected to fail."


def _wrong_data(case: Case, outcome: BlockOutcome) -> str | None:
    if case.expected_data is None:
        return None
    expected = to_plain(case.expected_data, "expected_result_data")
    if is_same(expected, outcome.data):
        return None
    return f"The data is not as expected.\n{difference(expected, outcome.data)}"


def _result_of(cls: type[FunctionBlock[Any, Any]], outcome: BlockOutcome) -> FunctionBlockResult[Any] | str:
    """Return the result as the block returned it, or why it can't be made again from its JSON."""
    registration = cls.registration
    data: Any = outcome.data
    if data is not None and registration is not None:
        model = registration.result_cls
        plain = {name: value for name, value in data.items() if name not in model.model_computed_fields}
        try:
            data = model.model_validate(as_input(model.model_fields, plain))
        except ValidationError as error:
            return (
                f"The data can't be read back as {model.__name__} ({join_problems(problems_of(error))}), so the "
                "assertions can't be tried. Use expected_result_data, or block_runner and the plain data of its "
                "outcome."
            )
    return FunctionBlockResult(
        success=outcome.success, message=outcome.message, data=data, retryable=outcome.retryable
    )


def _first_false(case: Case, result: FunctionBlockResult[Any], outcome: BlockOutcome) -> str | None:
    __tracebackhide__ = True
    for number, assertion in enumerate(case.assertions, start=1):
        try:
            answer = assertion(result)
        except Exception as error:
            error.add_note(
                f"{case}: in assertion {_named(number, assertion)}, after a run with\n{outcome.report()}"
            )
            raise
        if not answer:
            return f"Assertion {_named(number, assertion)} returned {answer!r}."
    return None


def _named(number: int, assertion: Assertion) -> str:
    code = getattr(assertion, "__code__", None)
    name = getattr(assertion, "__name__", type(assertion).__name__)
    return f"{number}, {name}" + (f" ({code.co_filename}:{code.co_firstlineno})" if code else "")
