"""JSON that a person gives on the command line. No message shows a value: parameters may be passwords."""

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NoReturn, TextIO

from supervisor.errors import SupervisorError

STDIN: Final = "-"
FORMS: Final = "a JSON object, `@FILE` for a file that holds one, or `-` for stdin"
"""How JSON can be given, for the help of every flag that takes JSON."""
_INSTEAD: Final = "Give a file in place of `-`, as @FILE, or have stdin be a file or a pipe."


class BadInputError(SupervisorError):
    """The input can't be used. The message names the `flag` and says what is wrong."""

    def __init__(self, flag: str, problem: str) -> None:
        super().__init__(f"{flag}: {problem}")
        self.flag = flag


@dataclass(frozen=True, slots=True)
class JobInput:
    """The input of a job. `context` is `None` if none was given."""

    parameters: dict[str, Any] = field(repr=False)
    context: dict[str, Any] | None = field(repr=False)


def read_job_input(params: str, context: str | None) -> JobInput:
    """Return the input in --params and --context. Raises `BadInputError`."""
    if params == context == STDIN:
        raise BadInputError(
            "--context", "stdin is read for --params already. Give one of the two as text or as @FILE."
        )
    # Earlier versions took only a path for a context, so a bare path still works.
    return JobInput(
        read_object("--params", params),
        None if context is None else read_object("--context", context, bare_path=True),
    )


def read_object(flag: str, given: str, *, bare_path: bool = False) -> dict[str, Any]:
    """Return the JSON object that is `given`: as text, as `@FILE`, or as `-` for stdin.

    With `bare_path`, a text that does not begin like an object is a file name too. Raises `BadInputError`.
    """
    if given == STDIN:
        return _object(flag, _stdin(flag), "text on stdin")
    if given.startswith("@"):
        return _object(flag, _file(flag, given[1:]), f"file {given[1:]}")
    if bare_path and not given.lstrip().startswith(tuple("{[")):
        return _object(flag, _file(flag, given), f"file {given}")
    if _is_file(given):
        raise BadInputError(flag, f"the text is not JSON. To read the file {given}, write @{given}.")
    return _object(flag, given, "text")


def read_text(flag: str, given: str) -> str:
    """Return the text of the file `given`, or of stdin for `-`. Raises `BadInputError`."""
    return _stdin(flag) if given == STDIN else _file(flag, given.removeprefix("@"))


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except (OSError, ValueError):  # too long for a name, or with characters that no name can have
        return False


def _stdin(flag: str) -> str:
    stdin: TextIO | None = sys.stdin  # None if it was closed, as with `<&-`
    if stdin is None:
        raise BadInputError(flag, f"stdin is closed. {_INSTEAD}")
    try:
        return stdin.read()
    except OSError as error:
        raise BadInputError(flag, f"stdin can't be read: {error.strerror}. {_INSTEAD}") from None
    except UnicodeDecodeError:
        raise BadInputError(flag, "stdin is not UTF-8 text.") from None


def _file(flag: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise BadInputError(flag, f"file {path} can't be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise BadInputError(flag, f"file {path} is not UTF-8 text.") from None


def _object(flag: str, text: str, what: str) -> dict[str, Any]:
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        advice = f" For a file, write @{text}." if what == "text" and text.endswith(".json") else ""
        raise BadInputError(
            flag, f"the {what} is not JSON: {error.msg} in line {error.lineno}, column {error.colno}.{advice}"
        ) from None
    except (ValueError, RecursionError) as error:
        raise BadInputError(flag, f"the {what} is not JSON: {error}.") from None
    if not isinstance(value, dict):
        raise BadInputError(flag, f"the {what} is {_KINDS[type(value)]}. It has to be a JSON object.")
    return value


_KINDS = {
    list: "an array",
    str: "a string",
    int: "a number",
    float: "a number",
    bool: "a boolean",
    type(None): "null",
}


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"it has no {name}")
