"""The jobs of a large answer to a poll, or of one that is no JSON as a whole, read in portions from its text.

Parameters and context stay text. To make objects of 20 MB took two seconds of the loop, and ten times the memory.
"""

import json
from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Final

from jobrunner.protocol.caps import ORDER_CAP_BYTES
from supervisor.engine.item_splitter import RawItem, split_in_steps
from supervisor.engine.items import MalformedJob, parse_item
from supervisor.job.job import Job, JobTexts
from supervisor.job.json_grammar import of_python
from supervisor.job.json_pieces import NotJsonError, Scanner, Shape, Span

AT_ONCE_BYTES: Final = 256 * 1024
"""A larger answer is read here. So much takes some 5 milliseconds at once, and 40 where it is empty objects."""

JOB_CAP_BYTES: Final = ORDER_CAP_BYTES - 1024
"""What parameters and context of a job may be: they travel in one frame, with their names."""

_FIELD_CAP_BYTES: Final = 16 * 1024
_LIST: Final = Shape(b"[", in_spans=True)
_ITEM: Final = Shape(b"{", in_spans=True)
_UNREADABLE: Final = "The engine sent a job that is no JSON that can be read."


@dataclass(frozen=True, slots=True)
class Poll:
    """The jobs that one poll has claimed."""

    jobs: tuple[Job | MalformedJob, ...]
    complete: bool = True
    """Whether that is all of them: an answer may break off."""


def read_in_steps(body: bytes) -> Generator[None, None, Poll | None]:
    """Read an answer, a few milliseconds' work for each step; `None` where no whole object is found in it.

    An item that can't be read becomes a malformed job, and takes no other along.
    """
    complete = True
    try:
        scanner = Scanner(body, of_python())
        yield from scanner.steps(_LIST, encoding=False)
        items = [RawItem(body[span.begin : span.end], None) for span in scanner.spans]
    except NotJsonError:
        split = yield from split_in_steps(body)
        if split is None:
            return None
        items, complete = list(split.items), split.complete
    jobs: list[Job | MalformedJob] = []
    for item in items:
        jobs.append((yield from _read(item)))
    return Poll(tuple(jobs), complete)


def _read(item: RawItem) -> Generator[None, None, Job | MalformedJob]:
    scanner = Scanner(item.text, of_python())
    try:
        yield from scanner.steps(_ITEM)
    except NotJsonError as error:
        job_id = item.job_id or _id_in(item.text, scanner.spans)
        return MalformedJob(job_id, f"{_UNREADABLE[:-1]} ({error}).")
    fields: dict[str, object] = {}
    large = {"parameters": b"", "context": b""}
    for span in scanner.spans:
        key, text = json.loads(b'"' + span.key + b'"'), item.text[span.begin : span.end]
        if key in large and text[:1] == b"{":
            fields[key], large[key] = {}, text
        else:
            # A field that is longer than any may be is one of the wrong type.
            fields[key] = json.loads(text) if len(text) <= _FIELD_CAP_BYTES else []
    job = parse_item(fields)
    if isinstance(job, MalformedJob):
        return job
    size = sum(map(len, large.values()))
    if size > JOB_CAP_BYTES:
        reason = f"The engine sent a job of {size >> 20} MB; this worker takes at most {JOB_CAP_BYTES >> 20}."
        return MalformedJob(job.job_id, reason)
    return replace(job, texts=JobTexts(**large))


def _id_in(text: bytes, spans: list[Span]) -> str | None:
    for span in spans:
        if span.key == b"jobId" and span.end - span.begin <= _FIELD_CAP_BYTES:
            item = parse_item({"jobId": json.loads(text[span.begin : span.end])})
            return item.job_id
    return None
