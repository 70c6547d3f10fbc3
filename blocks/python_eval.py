"""`neops_base/python_eval`: runs Python source that comes with the job. Dangerous: read this first.

Anybody who may start a workflow with this block can run any code as the worker's user, on the worker's machine and
network. The interpreter is a separate process with a time limit and a small environment. That keeps accidents away
from the job. It is no sandbox, and stops no attacker.

So the worker never loads it with the other blocks: you have to name it (`blocks.python_eval`).
"""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from pydantic import Field

from blocks.programs import Completed, Output, Pipe, run_program
from sdk import (
    FunctionBlock,
    FunctionBlockParams,
    FunctionBlockResult,
    FunctionBlockResultData,
    Registration,
    WorkflowContext,
    register_function_block,
)

__neops_named_only__ = True

_EVALUATOR = Path(__file__).parent / "programs" / "evaluate.py"
_MAX_REPORT_BYTES = 1_000_000
# What an interpreter needs to run as usual. None of it is secret.
_ENVIRONMENT_NAMES = ("HOME", "LANG", "LC_ALL", "PATH", "TMPDIR", "TZ")


class PythonEvalParams(FunctionBlockParams):
    """The source, and how long it may run."""

    source: str = Field(
        max_length=100_000, description="Python source; the value of its last line is returned"
    )
    timeout_seconds: float = Field(default=10, ge=0.1, le=600, description="After this it is killed")


class PythonEvalResult(FunctionBlockResultData):
    """What came of the source. `value` is set if the value is JSON (`is_json`); `value_repr` is its `repr()`.

    Of stdout and stderr the first 64 KiB are kept; `output_truncated` says that there was more.
    """

    value: Any = None
    is_json: bool = False
    value_repr: str | None = None
    exit_code: int
    stdout: str
    stderr: str
    output_truncated: bool


@register_function_block(
    Registration(
        package="neops_base",
        name="python_eval",
        version=(1, 0, 0),
        description="Runs Python source in a separate interpreter and returns the value of its last line",
        markdown_helptext="**Dangerous**: runs any code as the worker's user; it is no sandbox. Returns the "
        "value of the last line, as JSON where that can be, and its `repr`. Loaded only when named.",
        run_on="global",
        fb_type="execute",
        param_cls=PythonEvalParams,
        result_cls=PythonEvalResult,
    )
)
class PythonEval(FunctionBlock[PythonEvalParams, PythonEvalResult]):
    """Runs Python source in a separate interpreter. When cancelled, it kills the interpreter and waits for its end."""

    async def run(
        self, params: PythonEvalParams, context: WorkflowContext
    ) -> FunctionBlockResult[PythonEvalResult]:
        """Return the value; success means that the source ran to its end without an exception."""
        report_pipe = Pipe(_MAX_REPORT_BYTES)
        completed = await run_program(
            [sys.executable, "-I", "-B", str(_EVALUATOR), str(report_pipe.writer)],
            timeout_seconds=params.timeout_seconds,
            env={name: os.environ[name] for name in _ENVIRONMENT_NAMES if name in os.environ},
            # Not on the command line, where every user of the machine could read it.
            stdin=params.source.encode(),
            further_pipe=report_pipe,
        )
        return _result(params, completed, report_pipe.output())


def _result(
    params: PythonEvalParams, completed: Completed, report_output: Output
) -> FunctionBlockResult[PythonEvalResult]:
    data = PythonEvalResult(
        exit_code=completed.exit_code,
        stdout=completed.stdout.text,
        stderr=completed.stderr.text,
        output_truncated=completed.stdout.truncated or completed.stderr.truncated,
    )
    if completed.timed_out:
        message = f"The source did not end within {params.timeout_seconds:g} s and was killed"
        return FunctionBlockResult(success=False, message=message, data=data, retryable=False)
    if report_output.truncated:
        message = f"The value of the last line is over {_MAX_REPORT_BYTES} bytes as JSON. Return less."
        return FunctionBlockResult(success=False, message=message, data=data, retryable=False)
    report = _parse_report(report_output.data)
    if report is None:
        message = f"The interpreter ended before there was a value, with {_end(completed.exit_code)}"
        return FunctionBlockResult(success=False, message=message, data=data)
    if report["error"] is not None:
        kind, text = report["error"]["type"], report["error"]["text"]
        message = f"The source raised {kind}: {text}" if text else f"The source raised {kind}"
        return FunctionBlockResult(success=False, message=message, data=data)
    data.value, data.is_json, data.value_repr = report["value"], report["is_json"], report["repr"]
    return FunctionBlockResult(success=True, message=f"The value is {_shortened(report['repr'])}", data=data)


def _parse_report(report: bytes) -> dict[str, Any] | None:
    # The source can write to this descriptor, too, so the block trusts nothing in it.
    try:
        parsed = json.loads(report)
    except ValueError:
        return None
    if not isinstance(parsed, dict) or parsed.keys() != {"error", "value", "is_json", "repr"}:
        return None
    error = parsed["error"]
    if error is not None and not (isinstance(error, dict) and error.keys() == {"type", "text"}):
        return None
    well_typed = isinstance(parsed["is_json"], bool) and isinstance(parsed["repr"], str | None)
    return parsed if well_typed else None


def _end(exit_code: int) -> str:
    return (
        f"exit code {exit_code}"
        if exit_code >= 0
        else f"signal {-exit_code} ({signal.strsignal(-exit_code)})"
    )


def _shortened(text: str | None, length: int = 80) -> str:
    text = str(text)
    return text if len(text) <= length else f"{text[:length]}…"
