"""Jobs from JSON lines: one object per line, with the names of the command's flags. Pure.

No message shows a value: parameters may be passwords.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError, field_validator

from jobrunner.protocol.messages import JobType, RunOn
from supervisor.errors import SupervisorError

CONTEXT_LISTS: Final = ("devices", "deviceGroups", "interfaces")
_MOST_NAMED: Final = 20


class BadLinesError(SupervisorError):
    """Some lines are not jobs. The message names each, up to twenty."""

    def __init__(self, problems: Iterable[tuple[int, str]]) -> None:
        named = sorted(problems)
        texts = [f"line {number}: {problem}" for number, problem in named[:_MOST_NAMED]]
        if len(named) > _MOST_NAMED:
            texts.append(f"and {len(named) - _MOST_NAMED} more lines")
        super().__init__("\n".join([*texts, "No job was submitted."]))


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)

    block: str | None = None
    params: dict[str, Any] = Field(
        default_factory=dict, validation_alias=AliasChoices("params", "parameters")
    )
    context: dict[str, Any] | None = None
    type: JobType | None = None
    run_on: RunOn | None = None
    entity_id: int | None = None

    @field_validator("context")
    @classmethod
    def _has_lists(cls, value: dict[str, Any] | None) -> dict[str, Any] | None:
        for name in CONTEXT_LISTS:
            if not isinstance((value or {}).get(name, []), list):
                raise ValueError(f"{name} has to be a list")  # noqa: TRY004  # pydantic reports ValueErrors
        return value


@dataclass(frozen=True, slots=True)
class JobLine:
    """One job. The command's flags set what a line leaves out."""

    number: int
    block: str
    job_type: JobType
    run_on: RunOn | None
    entity_id: int | None
    body: dict[str, Any]
    """`parameters`, and `context` if there is one."""

    def __repr__(self) -> str:
        return f"<line {self.number}: {self.block}>"


def read_job_lines(text: str, block: str | None, job_type: JobType, run_on: RunOn | None) -> list[JobLine]:
    """Return the jobs of all lines that are not blank. Raises `BadLinesError`, which names every bad line."""
    jobs: list[JobLine] = []
    problems: list[tuple[int, str]] = []
    # Split only at newlines: JSON may contain other characters at which `splitlines` splits.
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            jobs.append(_job(number, line, block, job_type, run_on))
        except ValidationError as error:
            problems.append((number, "; ".join(_said(each) for each in error.errors(include_url=False))))
        except json.JSONDecodeError as error:
            problems.append((number, f"it is not JSON: {error.msg} in column {error.colno}"))
        except (ValueError, RecursionError) as error:
            problems.append((number, str(error)))
    if problems:
        raise BadLinesError(problems)
    return jobs


def _job(number: int, text: str, block: str | None, job_type: JobType, run_on: RunOn | None) -> JobLine:
    value = json.loads(text, parse_constant=_refuse_constant)
    if not isinstance(value, dict):
        raise ValueError('it has to be a JSON object, such as {"block": "echo", "params": {}}')  # noqa: TRY004
    line = _Line.model_validate(value)
    wanted = line.block or block
    if not wanted:
        raise ValueError(
            'it names no block. Write "block": "NAME", or name one for all lines on the command line'
        )
    body: dict[str, Any] = {"parameters": line.params}
    if line.context is not None:
        body["context"] = line.context
    return JobLine(number, wanted, line.type or job_type, line.run_on or run_on, line.entity_id, body)


def _said(error: Any) -> str:
    name = ".".join(str(part) for part in error["loc"][:2])
    if error["type"] == "extra_forbidden":
        return f"{name!r} is not known. Known are block, params, context, type, run_on and entity_id"
    return f"{name}: {error['msg'].removeprefix('Value error, ')}"


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"it is not JSON: it has no {name}")
