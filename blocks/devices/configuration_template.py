"""Configuration lines from a Jinja template, in a sandbox. A name without a value is an error."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final

import jinja2
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

MOST_CHARACTERS: Final = 1_000_000
"""Limit of the rendered text. The configuration of a device is smaller."""

_LARGEST: Final = 2**64
_LARGEST_POWER: Final = 64
_NAME: Final = "<template>"


class TemplateFailedError(ValueError):
    """The template can't be rendered. The text says why, and on which line of it (`line`, None if unknown).

    It holds no value of a variable.
    """

    def __init__(self, reason: str, line: int | None) -> None:
        place = "The template" if line is None else f"Line {line} of the template"
        super().__init__(f"{place}: {reason}. Correct the template, or give what it needs in `variables`.")
        self.line = line


class _Sandbox(ImmutableSandboxedEnvironment):
    """Jinja's sandbox. Here a template also can't multiply a text until the memory is full."""

    intercepted_binops = frozenset({"*", "**"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if not all(isinstance(each, int | float) and abs(each) <= _LARGEST for each in (left, right)):
            raise SecurityError(f"{operator!r} is for numbers up to {_LARGEST:,} only")
        if operator == "**" and abs(right) > _LARGEST_POWER:
            raise SecurityError(f"'**' is for powers up to {_LARGEST_POWER} only")
        return super().call_binop(context, operator, left, right)


def check(source: str) -> None:
    """Do nothing if the template is well formed. Raises `TemplateFailedError`."""
    _parsed(source)


def render(source: str, variables: Mapping[str, Any]) -> str:
    """Return the text of the template.

    Raises:
        TemplateFailedError: it is not well formed, uses an unknown name, does what the sandbox forbids, or the text
            grows over its limit.
    """
    template = _parsed(source)
    pieces: list[str] = []
    size = 0
    try:
        for piece in template.generate(dict(variables)):
            size += len(piece)
            if size > MOST_CHARACTERS:
                break
            pieces.append(piece)
    except jinja2.TemplateSyntaxError as error:  # jinja finds an unknown filter only when it renders
        raise TemplateFailedError(_words(error), error.lineno) from None
    except Exception as error:
        raise TemplateFailedError(_words(error), _line_of(error.__traceback__)) from None
    if size > MOST_CHARACTERS:
        raise TemplateFailedError(f"it makes more than {MOST_CHARACTERS:,} characters", None)
    return "".join(pieces)


def _parsed(source: str) -> jinja2.Template:
    # A line that holds only a statement leaves no empty line behind.
    environment = _Sandbox(
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    try:
        code = environment.compile(source, name=_NAME, filename=_NAME)
    except jinja2.TemplateSyntaxError as error:
        raise TemplateFailedError(_words(error), error.lineno) from None
    return environment.template_class.from_code(environment, code, environment.make_globals(None))


def _words(error: Exception) -> str:
    if isinstance(error, jinja2.TemplateError):
        return str(error).rstrip(".")
    # The text of any other exception may hold a value.
    return f"{type(error).__name__} was raised"


def _line_of(trace: TracebackType | None) -> int | None:
    """Return the line of the template that raised the error: jinja puts such frames into its tracebacks."""
    line = None
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == _NAME:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
