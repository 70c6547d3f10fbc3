"""The program behind `python_eval`: runs the source from its standard input, reports the value on a descriptor.

Started as a script in an isolated interpreter (`python -I`), so it imports the standard library only. The
report is one JSON object with the keys `error` (null or `type` and `text`), `value`, `is_json` and `repr`.
"""

import ast
import contextlib
import json
import os
import sys
import traceback
from typing import Any

_SOURCE_NAME = "<source>"
_MAX_TEXT_LENGTH = 10_000


def evaluate(source: str) -> Any:
    """Run the source; return the value of its last line if that line is an expression, otherwise None."""
    tree = ast.parse(source, _SOURCE_NAME)
    namespace: dict[str, Any] = {"__name__": "__main__"}
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, _SOURCE_NAME, "exec"), namespace)  # noqa: S102  # running the source is the purpose
    if not isinstance(last, ast.Expr):
        return None
    return eval(compile(ast.Expression(last.value), _SOURCE_NAME, "eval"), namespace)  # noqa: S307  # as above


def _report_value(value: Any) -> dict[str, Any]:
    try:
        text = repr(value)
    except Exception as error:  # a `__repr__` in the source may raise anything
        text = f"<{type(value).__name__} whose repr() raised {type(error).__name__}>"
    report: dict[str, Any] = {"error": None, "value": None, "is_json": False, "repr": text[:_MAX_TEXT_LENGTH]}
    with contextlib.suppress(TypeError, ValueError, RecursionError):
        # Encoded only as a test: JSON has no NaN, no circles and no foreign types.
        json.dumps(value, allow_nan=False)
        report |= {"value": value, "is_json": True}
    return report


def _report_error(error: BaseException) -> dict[str, Any]:
    text = traceback.format_exception_only(error)[-1].strip().partition(": ")[2]
    described = {"type": type(error).__name__, "text": text[:_MAX_TEXT_LENGTH]}
    return {"error": described, "value": None, "is_json": False, "repr": None}


def _print_traceback(error: BaseException) -> None:
    # The reader does not need the frames of this file.
    frames = traceback.TracebackException.from_exception(error)
    frames.stack = traceback.StackSummary.from_list(
        [frame for frame in frames.stack if frame.filename != __file__]
    )
    print("".join(frames.format()), file=sys.stderr, end="")


def main(report_descriptor: int) -> int:
    """Run the source from the standard input; return 0 for a value, 1 for an exception."""
    source = sys.stdin.buffer.read().decode()
    try:
        report = _report_value(evaluate(source))
    except BaseException as error:  # SystemExit, too: an exit gives no value
        _print_traceback(error)
        report = _report_error(error)
    sys.stdout.flush()
    with os.fdopen(report_descriptor, "w", encoding="utf-8") as stream:
        json.dump(report, stream)
    return 0 if report["error"] is None else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
