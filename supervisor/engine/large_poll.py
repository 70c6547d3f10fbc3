"""Reads the jobs of a large answer to a poll, or of one that is not JSON as a whole, in portions from its text.

Parameters and context stay text: making objects of 20 MB took two seconds of the loop, and ten times the memory.
"""

import json
from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Final

from jobrunner.protocol.caps import ORDER_CAP_BYTES
from supervisor.engine.item_splitter import RawItem, split_in_steps
from supervisor.engine.items import MalformedJob, parse_item
from supervisor.job.job import Job
from supervisor.job.json_grammar import of_python
from supervisor.job.json_pieces import NotJsonError, Scanner, Shape, Span, encoding_checked

AT_ONCE_BYTES: Final = 256 * 1024
"""A larger answer is read here. This much takes about 5 milliseconds at once, and 40 if it is empty objects."""

JOB_CAP_BYTES: Final = ORDER_CAP_BYTES - 1024
"""The cap of a job's parameters and context: they travel in one frame, with their names."""

_FIELD_CAP_BYTES: Final = 16 * 1024
_ITEM: Final = Shape(b"{", in_spans=True)
_LIST: Final = Shape(b"[", in_spans=True, inner=Shape(in_spans=True))
_OF_LIST: Final = 1
"""How deep an item is; its members are one deeper."""
_UNREADABLE: Final = "The engine sent a job that is no JSON that can be read."


@dataclass(frozen=True, slots=True)
class Poll:
    """The jobs that one poll has claimed."""

    jobs: tuple[Job | MalformedJob, ...]
    complete: bool = True
    """Whether these are all: an answer may break off."""


def read_in_steps(body: bytes) -> Generator[None, None, Poll | None]:
    """Read an answer in steps of a few milliseconds; `None` if it has no complete object.

    An item that can't be read becomes a malformed job, and harms no other item.
    """
    scanner = Scanner(body, of_python())
    jobs: list[Job | MalformedJob] = []
    try:
        yield from scanner.steps(_LIST, encoding=False)
    except NotJsonError:
        split = yield from split_in_steps(body)
        if split is None:
            return None
        for item in split.items:
            jobs.append((yield from _read(item)))
        return Poll(tuple(jobs), split.complete)
    members: list[Span] = []
    for span in scanner.spans:
        if span.depth > _OF_LIST:
            members.append(span)
            continue
        jobs.append((yield from _read_members(body, span, members)))
        members = []
    return Poll(tuple(jobs))


def _read(item: RawItem) -> Generator[None, None, Job | MalformedJob]:
    """Read an item of a list that is not JSON as a whole."""
    scanner = Scanner(item.text, of_python())
    try:
        yield from scanner.steps(_ITEM)
    except NotJsonError as error:
        return _unreadable(error, item.job_id or _id_in(item.text, scanner.spans))
    return _job_of(item.text, scanner.spans)


def _read_members(body: bytes, item: Span, members: list[Span]) -> Generator[None, None, Job | MalformedJob]:
    """Read an item whose members' positions are known."""
    if body[item.begin : item.begin + 1] != b"{":
        return _unreadable(NotJsonError("it is no object"), None)
    try:
        yield from encoding_checked(body[item.begin : item.end])
    except NotJsonError as error:
        return _unreadable(error, None)
    return _job_of(body, members)


def _unreadable(error: NotJsonError, job_id: str | None) -> MalformedJob:
    return MalformedJob(job_id, f"{_UNREADABLE[:-1]} ({error}).")


def _job_of(body: bytes, members: list[Span]) -> Job | MalformedJob:
    fields: dict[str, object] = {}
    large = {"parameters": b"", "context": b""}
    for span in members:
        key, text = json.loads(b'"' + span.key + b'"'), body[span.begin : span.end]
        if key in large and text[:1] == b"{":
            fields[key], large[key] = {}, text
        else:
            # A field longer than its cap is treated as one of the wrong type.
            fields[key] = json.loads(text) if len(text) <= _FIELD_CAP_BYTES else []
    job = parse_item(fields)
    if isinstance(job, MalformedJob):
        return job
    size = sum(map(len, large.values()))
    if size > JOB_CAP_BYTES:
        reason = f"The engine sent a job of {size >> 20} MB; this worker takes at most {JOB_CAP_BYTES >> 20}."
        return MalformedJob(job.job_id, reason)
    return replace(job, parameters=large["parameters"], context=large["context"])


def _id_in(text: bytes, spans: list[Span]) -> str | None:
    for span in spans:
        if span.key == b"jobId" and span.end - span.begin <= _FIELD_CAP_BYTES:
            item = parse_item({"jobId": json.loads(text[span.begin : span.end])})
            return item.job_id
    return None
