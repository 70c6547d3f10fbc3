"""JSON that a person gives on the command line. No message shows a value: parameters may be passwords."""

import json
import sys
from pathlib import Path
from typing import Any, NoReturn

from supervisor.errors import SupervisorError


class BadInputError(SupervisorError):
    """What was given can't be used. The message names the flag and says what is wrong."""


def read_parameters(text: str) -> dict[str, Any]:
    """Return the parameters in ``text``, in the file that ``@FILE`` names, or from stdin for ``-``.

    Raises `BadInputError`.
    """
    if text == "-":
        return _object("--params", _stdin(), "text on stdin")
    if text.startswith("@"):
        return _object("--params", _file("--params", text[1:]), f"file {text[1:]}")
    return _object("--params", text, "text")


def read_context(path: str | None) -> dict[str, Any]:
    """Return the context in the file ``path``, without one that of a job on nothing. Raises `BadInputError`."""
    if path is None:
        return {"devices": [], "deviceGroups": [], "interfaces": []}
    return _object("--context", _file("--context", path), f"file {path}")


def _stdin() -> str:
    try:
        return sys.stdin.read()
    except UnicodeDecodeError:
        raise BadInputError("--params: stdin is not UTF-8 text.") from None


def _file(flag: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise BadInputError(f"{flag}: file {path} can't be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise BadInputError(f"{flag}: file {path} is not UTF-8 text.") from None


def _object(flag: str, text: str, what: str) -> dict[str, Any]:
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise BadInputError(
            f"{flag}: the {what} is not JSON: {error.msg} in line {error.lineno}, column {error.colno}."
        ) from None
    except (ValueError, RecursionError) as error:
        raise BadInputError(f"{flag}: the {what} is not JSON: {error}.") from None
    if not isinstance(value, dict):
        raise BadInputError(f"{flag}: the {what} is {_KINDS[type(value)]}. It has to be a JSON object.")
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
