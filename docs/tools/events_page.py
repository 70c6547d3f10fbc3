"""The page of the log's events, and the page of the causes, from the code that writes them."""

import ast
import inspect
import itertools
import logging
from collections.abc import Iterator

from supervisor.log.catalogue import ROOMS, events_of
from supervisor.log.event import PRINTED, Event
from supervisor.verdict import verdict
from supervisor.verdict.verdict import RETRYABLE, Cause

EVENTS_FILE = "events.md"
CAUSES_FILE = "causes.md"

_EVENTS_HEAD = """# Events of the log

<!-- Written by `make docs` from `supervisor/log/events`; changes here are lost. -->

Each line of the worker's log is one event. With `--log-format json` a line is one object with `time`, `level`,
`logger`, `event` and `message`. The event's facts stand beside them under the names below. A text line ends with the
facts that its message lacks, and with the event's name.

Programs should read the names and facts. The changelog names each change of them. The messages may change at any time.

What a block logs has the event `job_log`, at the level that the block chose, with `job`, `block`, `step`, and the
author's own fields under `fields`. What a library logs in the worker has the event `log`, and no facts. In text, the
lines of jobs (`job_log`, `job_output`) end without a name: the label in brackets says what they are."""

_CAUSES_HEAD = """# Causes

<!-- Written by `make docs` from `supervisor/verdict/verdict.py`; changes here are lost. -->

The events `job_ended`, `job_not_run` and `job_interrupted` report a job's end, and each has a cause.
[When something is wrong](../how-to/when-something-is-wrong.md) says for each cause what to do.

| cause | meaning | start it again? |
|---|---|---|"""


def render_events() -> str:
    """Return the page of events as Markdown."""
    parts = [_EVENTS_HEAD]
    for title in ROOMS:
        parts += [f"## {title}", *(_event(event) for event in events_of(title))]
    return "\n\n".join(parts) + "\n"


def _event(event: type[Event]) -> str:
    level = logging.getLevelName(event.level)
    facts = ", ".join(f"`{name}`" for name in event.__annotations__ if name != PRINTED)
    lines = [
        f"### `{event.name}` ({level})",
        "```text\n" + event.text.replace("\\n", "\n") + "\n```",
        inspect.cleandoc(event.__doc__ or ""),
        f"Facts: {facts}." if facts else "",
    ]
    return "\n\n".join(line for line in lines if line)


def render_causes() -> str:
    """Return the page of causes as Markdown."""
    return "\n".join([_CAUSES_HEAD, *_cause_rows()]) + "\n"


def _cause_rows() -> Iterator[str]:
    meanings = meaning_of_causes()
    for cause in Cause:
        again = {True: "yes", False: "no", None: "the block or the engine decides"}[RETRYABLE.get(cause)]
        again = "no need" if cause is Cause.COMPLETED else again
        yield f"| `{cause}` | {' '.join(meanings[cause].split())} | {again} |"


def meaning_of_causes() -> dict[Cause, str]:
    """Return what stands below each cause in the source."""
    (body,) = (
        node.body
        for node in ast.walk(ast.parse(inspect.getsource(verdict)))
        if isinstance(node, ast.ClassDef) and node.name == Cause.__name__
    )
    found: dict[Cause, str] = {}
    for before, after in itertools.pairwise(body):
        if isinstance(before, ast.Assign) and isinstance(after, ast.Expr):
            (target,) = before.targets
            found[Cause[ast.unparse(target)]] = ast.literal_eval(after.value)
    return found
