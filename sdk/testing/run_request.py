"""Makes a request for the block server from what a test asks for."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal, TypedDict

from sdk.block import FunctionBlock
from sdk.context import WorkflowContext
from sdk.models import FunctionBlockParams
from sdk.testing.locations import Source, block_id_of, module_of, named_sources
from sdk.testing.wire import context_of, parameters_of

Block = type[FunctionBlock[Any, Any]] | str
Params = FunctionBlockParams | Mapping[str, Any] | None
Context = WorkflowContext | Mapping[str, Any] | None

_LONGEST_SECONDS: Final = 600.0  # the worker's own limit for a job, and for its grace below
_GRACE_SECONDS: Final = 10.0
_START_SECONDS: Final = 300.0


class RunOptions(TypedDict, total=False):
    """How a block is run. Options that you leave out are as in production.

    * `source`: where to find a block that is named by its id: directories, `.py` files, module names. Default: the
      blocks of installed packages.
    * `job_type`: `execute`, `acquire` or `rollback`.
    * `run_on`, `entity_id`: on what the job runs. Default: what the context says, otherwise what the block is
      registered for, and the only entity of that kind.
    * `max_seconds`, `grace_seconds`: the time limit, and the time to clean up after it. Default: 600 and 10. A
      lower `max_seconds` of the block's registration counts.
    * `max_cpu_seconds`: the limit of processor time, for all processes of the job. Default: none.
    * `max_memory_mb`, `max_result_mb`: limits in MB. Default: none, and 8.
    * `stall_seconds`, `on_stall`: after how long a loop that does not run has stalled (default 10, 0 for never),
      and whether to `warn` (the default) or to `kill`.
    * `in_process`: run it in the process of the tests, for a debugger. Needs the class, or the id of a block that
      was imported. No limit is enforced, and nothing is cleaned up (`sdk.testing.in_process`). Default: what
      pytest's option `--blocks-in-process` says, otherwise no.
    * `log_level`: the least severe level that is recorded. Default: `info`.
    """

    source: Source | Iterable[Source] | None
    job_type: Literal["execute", "acquire", "rollback"]
    run_on: str | None
    entity_id: int | float | None
    max_seconds: float | None
    grace_seconds: float | None
    max_cpu_seconds: float | None
    max_memory_mb: int | None
    max_result_mb: int | None
    stall_seconds: float | None
    on_stall: Literal["warn", "kill"] | None
    in_process: bool | None
    log_level: Literal["debug", "info", "warning", "error"] | None


def check_options(options: RunOptions) -> None:
    """Raise `TypeError` for an unknown option: a limit with a misspelt name would be no limit."""
    __tracebackhide__ = True
    known = RunOptions.__annotations__
    for name in options:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
            advice = f"Did you mean {near[0]!r}?" if near else f"Choose from: {', '.join(known)}."
            raise TypeError(f"There is no option {name!r} for a run. {advice}")


def request_of(block: Block, params: Params, context: Context, options: RunOptions) -> dict[str, Any]:
    """Return the request for one run. Raises `BlockNotFoundError`, and `EncodingError` for values that are not JSON."""
    __tracebackhide__ = True
    run_on, entity_id = entity_of(context, options)
    block_id = block if isinstance(block, str) else block_id_of(block)
    source = options.get("source")
    return {
        # A class is found by its own module, whatever other modules there are.
        "module": module_of(block) if source is None and not isinstance(block, str) else None,
        "source": named_sources(source),
        "python_path": [os.path.abspath(entry) for entry in sys.path if isinstance(entry, str)],
        "block": block_id,
        "type": options.get("job_type", "execute"),
        "run_on": run_on,
        "entity_id": entity_id,
        "parameters": parameters_of(params),
        "context": context_of(context),
        **{name: options.get(name) for name in _LIMITS},
    }


_LIMITS: Final = (
    "max_seconds",
    "grace_seconds",
    "max_cpu_seconds",
    "max_memory_mb",
    "max_result_mb",
    "stall_seconds",
    "on_stall",
    "log_level",
)


def patience_seconds(options: RunOptions) -> float:
    """Return how long an answer may take. The server has its own limits; this is for a server that hangs."""
    grace = options.get("grace_seconds")
    return (
        _START_SECONDS
        + (options.get("max_seconds") or _LONGEST_SECONDS)
        + (_GRACE_SECONDS if grace is None else grace)
    )


def entity_of(context: Context, options: RunOptions) -> tuple[str | None, int | float | None]:
    """Return on what the job runs, as far as options and context say."""
    run_on, entity_id = options.get("run_on"), options.get("entity_id")
    if isinstance(context, WorkflowContext):
        run_on = run_on or context.run_on.value
        entity_id = context.entity_id if entity_id is None else entity_id
    return run_on, entity_id
