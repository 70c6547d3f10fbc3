"""The worker's answer, as `top` shows it. Every text is made harmless here, before other code uses it.

Ids, blocks and lines come from an engine and from jobs. None of them may move the cursor, change colours, turn the
direction of text beside it, or become two lines.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from supervisor.log.format import printable

_TEXT_CHARS: Final = 500
_MOST_JOBS: Final = 1000
_MARKS_IN_A_ROW: Final = 2
_ZERO_WIDTH_FROM: Final = "\u0300"


@dataclass(frozen=True, slots=True)
class JobShown:
    """One job of the worker's answer. Unknown values are `None`, or empty."""

    job_id: str
    block: str
    state: str
    slot: int | None
    pid: int | None
    seconds: float
    limit_seconds: float | None
    memory_bytes: int | None
    memory_limit_bytes: int | None
    cpu_seconds: float | None
    tasks: int | None
    stalled_seconds: float | None
    last_line: str


@dataclass(frozen=True, slots=True)
class WorkerShown:
    """The worker itself. `why_not` are the reasons why it takes no jobs, `warnings` are other problems."""

    name: str
    ready: bool
    why_not: tuple[str, ...]
    warnings: tuple[str, ...]
    slots: int
    spares: int
    results_waiting: int
    waiting_jobs: int
    engine: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One answer."""

    worker: WorkerShown
    jobs: tuple[JobShown, ...]


def snapshot_of(answer: Mapping[str, Any]) -> Snapshot:
    """Return the answer to the request `top`. Values that are missing or have another type are shown as unknown."""
    jobs = answer.get("jobs")
    listed = jobs[:_MOST_JOBS] if isinstance(jobs, list) else []
    worker = answer.get("worker")
    return Snapshot(
        _worker(worker if isinstance(worker, Mapping) else {}),
        tuple(_job(each) for each in listed if isinstance(each, Mapping)),
    )


def one_line(text: object) -> str:
    """Return a text on one line that moves nothing, and reads in the order in which it is written."""
    if not isinstance(text, str):
        return ""
    return _few_marks(printable(text[:_TEXT_CHARS].strip()).replace("\n", "\\n").replace("\t", "\\t"))


def _few_marks(text: str) -> str:
    """Keep only the first marks that stack above and below one letter: more would reach into the lines beside it."""
    if text.isascii():
        return text
    kept: list[str] = []
    marks = 0
    for char in text:
        marks = marks + 1 if char >= _ZERO_WIDTH_FROM and _is_mark(char) else 0
        if marks <= _MARKS_IN_A_ROW:
            kept.append(char)
    return "".join(kept)


def _is_mark(char: str) -> bool:
    return unicodedata.category(char) in ("Mn", "Me")


def _worker(facts: Mapping[str, Any]) -> WorkerShown:
    return WorkerShown(
        name=one_line(facts.get("name")) or one_line(facts.get("worker")),
        ready=facts.get("ready") is True,
        why_not=_messages(facts.get("why_not")),
        warnings=_messages(facts.get("warnings")),
        slots=_whole(facts.get("slots")) or 0,
        spares=_whole(facts.get("spares")) or 0,
        results_waiting=_whole(facts.get("results_waiting")) or 0,
        waiting_jobs=_whole(facts.get("waiting")) or 0,
        engine=one_line(facts.get("engine")),
    )


def _messages(reasons: object) -> tuple[str, ...]:
    listed = reasons if isinstance(reasons, list) else []
    return tuple(one_line(each.get("message")) for each in listed if isinstance(each, Mapping))


def _job(facts: Mapping[str, Any]) -> JobShown:
    found = facts.get("limits")
    limits: Mapping[str, Any] = found if isinstance(found, Mapping) else {}
    return JobShown(
        job_id=one_line(facts.get("job_id")),
        block=one_line(facts.get("block")),
        state=one_line(facts.get("state")),
        slot=_whole(facts.get("slot")),
        pid=_whole(facts.get("pid")),
        seconds=_number(facts.get("seconds")) or 0.0,
        limit_seconds=_number(limits.get("seconds")),
        memory_bytes=_whole(facts.get("memory_bytes")),
        memory_limit_bytes=_whole(limits.get("memory_bytes")),
        cpu_seconds=_number(facts.get("cpu_seconds")),
        tasks=_whole(facts.get("processes")),
        stalled_seconds=_number(facts.get("stalled_seconds")),
        last_line=one_line(facts.get("last_line")),
    )


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
