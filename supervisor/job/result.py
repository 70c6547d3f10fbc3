"""The text of a result for the engine (contract W6), built once and then never changed."""

import json
import re
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Final

from pydantic_core import from_json

from jobrunner.protocol.frames import FrameError
from jobrunner.protocol.messages import Outcome
from supervisor.job.json_pieces import NotJsonError, Scanner, Shape
from supervisor.verdict import Ending, Usage, Verdict
from supervisor.watch.fair_mask import FairMask

Parts = tuple[bytes, bytes]
"""The body and the acquires of an outcome, as JSON; empty if there are none."""

AT_ONCE_BYTES: Final = 32 * 1024
"""A larger outcome is checked in steps: this many bytes of empty objects take about five milliseconds."""

_BODY_KEYS: Final = {"data", "dbUpdates"}
_BLANKS: Final = b" \t\n\r"
_UPDATES: Final = Shape(b"[", of_objects=True, name="its updates")
_BODY: Final = Shape(
    b"{",
    {
        b"data": Shape(b"{", name="its data"),
        b"dbUpdates": Shape(b"{", {b"updates": _UPDATES}, name="its dbUpdates"),
    },
    name="its body",
)
_ACQUIRES: Final = Shape(b"[", of_objects=True, name="its acquires")
_LARGE_NUMBER: Final = re.compile(rb"[0-9][eE]\+?[0-9]{3}|[0-9]{309}")
"""A number that may not fit into a double, or a text in a string that only looks like one."""

_STATUS: Final = re.compile(rb'\{"jobExecutionId": "(?:[^"\\]|\\.)*+", "status": "([a-z]+)"')


@dataclass(frozen=True, slots=True)
class Finished:
    """A job that is over: the verdict, its evidence, and the JSON that the block returned (`b""` for none).

    `stuck` is true if a process of the job may still live, because it could not be killed or looked for: until it is
    gone, its slot must not be used again.
    """

    verdict: Verdict
    ending: Ending
    body: bytes = b""
    acquires: bytes = b""
    stuck: bool = False
    mask: FairMask | None = field(default=None, repr=False, compare=False)
    """The mask of the job's texts; none if the job was not run."""


def not_run(verdict: Verdict) -> Finished:
    """Return the end of a job that had no child."""
    return Finished(verdict, Ending(Usage(0.0)))


def parts_of(outcome: Outcome, payload: bytes) -> Parts:
    """Return an outcome's body and its acquires, unchanged."""
    # Without blanks around the value, which JSON allows: `result_text` puts the inside of the object into its own.
    return payload[: outcome.body_bytes].strip(_BLANKS), payload[outcome.body_bytes :]


def checked(parts: Parts) -> Parts:
    """Check a small outcome and return its parts as JSON that may be passed on.

    Raises `FrameError`: our own code in the child always sends valid JSON, but a block may have written to the channel
    itself. Such a result must not become a request that the engine can't read.
    """
    body, acquires = parts
    try:
        parsed = from_json(body or b"{}", allow_inf_nan=False)
        listed = from_json(acquires or b"[]", allow_inf_nan=False)
    except ValueError:
        raise FrameError("an outcome that is not JSON", incomplete=False) from None
    if problem := _problem_of(parsed, listed):
        raise FrameError(f"an outcome of the wrong shape: {problem}", incomplete=False)
    if _LARGE_NUMBER.search(body) or _LARGE_NUMBER.search(acquires):
        for _ in checked_in_steps(parts):  # it is small, so all steps at once
            pass
    return (b"" if not parsed else _without_nul(body)), _without_nul(acquires)


def checked_in_steps(parts: Parts) -> Generator[None, None, Parts]:
    """Same as `checked`, for an outcome of any size: each step takes a few milliseconds."""
    body, acquires = parts
    try:
        yield from Scanner(body or b"{}").steps(_BODY)
        yield from Scanner(acquires or b"[]").steps(_ACQUIRES)
    except NotJsonError as error:
        raise FrameError(f"an outcome that the engine could not read: {error}", incomplete=False) from None
    body = b"" if not body[1:-1].strip(_BLANKS) else _without_nul(body)
    yield
    return body, _without_nul(acquires)


def _problem_of(body: object, acquires: object) -> str | None:
    """Return what the engine would refuse in an outcome (engine contract: results), or `None`."""
    if not isinstance(body, dict) or not body.keys() <= _BODY_KEYS:
        return "not an object of data and dbUpdates"
    if not isinstance(body.get("data", {}), dict):
        return "its data is no object"
    updates = body.get("dbUpdates", {})
    if not isinstance(updates, dict) or not updates.keys() <= {"updates"}:
        return "its dbUpdates are no object of updates"
    if not _is_of_objects(updates.get("updates", [])):
        return "its updates are no list of objects"
    return None if _is_of_objects(acquires) else "its acquires are no list of objects"


def _is_of_objects(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def _without_nul(text: bytes) -> bytes:
    """Return JSON with the four characters `\\x00` for each NUL character: PostgreSQL can't store a NUL."""
    if b"\\u0000" not in text:
        return text
    # UTF-8 has no byte 0xFF: it marks an escaped backslash, and does not begin an escape itself.
    kept = text.replace(b"\\\\", b"\xff")
    return kept.replace(b"\\u0000", b"\\\\x00").replace(b"\xff", b"\\\\")


def result_text(job_id: str, finished: Finished, *, knows_retryable: bool) -> bytes:
    """Build a result. Its message has no NUL characters, because PostgreSQL can't store them.

    `retryable` is sent only to engines that know it (engine contract: results).

    The block's JSON is put in unchanged: parsing and writing 8 MB again would hold up the loop for another 0.1 s.
    """
    verdict = finished.verdict
    body, acquires = (finished.body, finished.acquires) if verdict.keeps_outcome else (b"", b"")
    result: dict[str, object] = {
        "success": verdict.success,
        "message": verdict.message.replace("\0", "\\x00"),
    }
    if knows_retryable and verdict.retryable is not None:
        result["retryable"] = verdict.retryable
    head = json.dumps(result).encode()
    if body:
        head = head[:-1] + b", " + body[1:]
    text = b'{"jobExecutionId": ' + json.dumps(job_id).encode()
    text += b', "status": "' + verdict.status.encode() + b'", "result": ' + head
    if acquires:
        text += b', "acquires": ' + acquires
    return text + b"}"


def status_in(text: bytes) -> str:
    """Return the status in a text of `result_text`. The text is not parsed: for a large one that takes 0.1 s."""
    found = _STATUS.match(text)
    return found[1].decode() if found else "unknown"
