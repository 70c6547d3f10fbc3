"""What is wrong with settings: all at once, each with its place and the allowed values."""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Final, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError
from pydantic_settings import BaseSettings
from pydantic_settings.sources.types import _CliPositionalArg  # pyright: ignore[reportPrivateUsage]  # it has no public test for it

from supervisor.process.shortage import explain, is_shortage
from supervisor.settings.contradictions import contradictions
from supervisor.settings.legacy_environment import LEGACY_NAMES
from supervisor.settings.places import place_of, unreadable_lines

SettingsT = TypeVar("SettingsT", bound=BaseSettings)

_MUST: Final[dict[str, str]] = {
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "finite_number": "must be a number",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be {ge} or more",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be {le} or less",
    "literal_error": "must be one of {expected}",
}
"""From pydantic's word for an error to a sentence for people."""

_TELLING: Final = frozenset(
    {"float_parsing", "finite_number", "int_parsing", "int_from_float", "bool_parsing"}
)
_LONGEST_TOLD: Final = 40
"""More characters than a number has, or a number with a few words. A token may be longer."""


def told_together(model: type[SettingsT], data: Any, validate: Callable[[Any], SettingsT]) -> SettingsT:
    """Validate `data`, and report contradictions together with wrong values, so that people see all at once.

    Raises `ValidationError` and `ValueError`.
    """
    try:
        settings = validate(data)
    except ValidationError as error:
        found = error.errors(include_url=False)
        wrong = {str(problem["loc"][0]) for problem in found if problem["loc"]}
        defaults = {name: field.default for name, field in model.model_fields.items()}
        right = {name: value for name, value in (defaults | data).items() if name not in wrong}
        raise _with_further(error, found, contradictions(right)) from None
    if problems := list(contradictions(vars(settings))):
        raise ValueError(". ".join(problems))
    return settings


def _with_further(
    error: ValidationError, found: Sequence[ErrorDetails], further: Iterable[str]
) -> ValidationError:
    lines = [
        _line(each["type"], each["loc"], each["msg"], each.get("ctx", {}) | _given(each)) for each in found
    ]
    lines += [_line("value_error", (), text, {}) for text in further]
    return ValidationError.from_exception_data(error.title, lines, hide_input=True)


def _given(problem: ErrorDetails) -> dict[str, str]:
    """Return the given value of a number or a switch, which is not a secret. Other values are never shown."""
    given = problem["input"]
    if problem["type"] not in _TELLING or not isinstance(given, str) or len(given) > _LONGEST_TOLD:
        return {}
    return {"given": ascii(given)}


def _line(
    kind: Any, location: tuple[int | str, ...], message: str, context: dict[str, Any]
) -> InitErrorDetails:
    # The text is a part of the context: in a template of pydantic's, its braces would have a meaning.
    own = PydanticCustomError(kind, "{message}", {**context, "message": message})
    return InitErrorDetails(type=own, loc=location, input=None)


def settings_problems(
    error: UnicodeDecodeError | OSError | ValidationError,
    arguments: Sequence[str],
    prefix: str,
    positional: Collection[str] = (),
) -> list[str]:
    """Return a sentence for each setting that can't be used: where it is set, and what it must be.

    `prefix` is the prefix of our own variables. `positional` are the settings that are given by their position on the
    command line, neither by a flag nor by a variable.
    """
    if isinstance(error, UnicodeDecodeError):
        return ["The file .env in this directory is not UTF-8 text."]
    if isinstance(error, OSError):
        reason = explain(error) if is_shortage(error) else f"{error.strerror}."
        return [f"The file .env in this directory can't be read: {reason}"]
    return explained(error.errors(include_url=False, include_input=False), arguments, prefix, positional)


def positional_of(model: type[BaseSettings]) -> frozenset[str]:
    """Return the names of a command's settings that are given by their position on the command line."""
    return frozenset(
        name for name, field in model.model_fields.items() if _CliPositionalArg in field.metadata
    )


def explained(
    found: Iterable[ErrorDetails], arguments: Sequence[str], prefix: str, positional: Collection[str] = ()
) -> list[str]:
    """Return a sentence for each of these problems, as `settings_problems` does for a whole error."""
    return [_explained(problem, arguments, prefix, positional) for problem in found]


def env_file_problems(prefix: str) -> list[str]:
    """Return a sentence for each line of `.env` that seems to set one of our settings but can't be read."""
    return [f"{place}: can't be read. Write {place.name}=VALUE." for place in unreadable_lines(prefix)]


def _explained(
    problem: ErrorDetails, arguments: Sequence[str], prefix: str, positional: Collection[str]
) -> str:
    message = _message(problem)
    if not problem["loc"]:
        return f"{message}."
    name = str(problem["loc"][0])
    if name in positional:
        shown = name.upper().replace("_", "-")  # same as argparse
        return f"{shown} is missing." if problem["type"] == "missing" else f"{shown}: {message}."
    flag, variable = "--" + name.replace("_", "-"), prefix + name.upper()
    if problem["type"] == "missing":
        return f"{flag} is missing; it can also be given as {variable}."
    place = place_of(name, variable, arguments)
    if place is None:
        return f"{flag} (or {variable}): {message}."
    here = f" (here {flag} or {variable})" if place.name in LEGACY_NAMES else ""
    return f"{place}{here}: {message}."


def _message(problem: ErrorDetails) -> str:
    must = _MUST.get(problem["type"])
    if must is None:
        return problem["msg"].removeprefix("Value error, ").removesuffix(".")
    values = {
        name: f"{value:g}" if isinstance(value, float | int) else str(value).replace("'", "")
        for name, value in problem.get("ctx", {}).items()
    }
    given = problem.get("ctx", {}).get("given")
    return must.format_map(values) + (f", and not {given}" if given else "")
