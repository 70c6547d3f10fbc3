"""The text of a result as the engine gets it (contract W6), built once and then never changed."""

import json
from dataclasses import dataclass

from pydantic_core import from_json

from jobrunner.protocol.frames import FrameError
from jobrunner.protocol.messages import Outcome
from supervisor.verdict import Ending, Usage, Verdict

_BODY_KEYS = {"data", "dbUpdates"}


@dataclass(frozen=True, slots=True)
class Finished:
    """A job that is over: the verdict, its evidence, and the JSON that the block returned (``b""`` for none).

    ``stuck`` is true when the child could not be killed: its slot must not be used again.
    """

    verdict: Verdict
    ending: Ending
    body: bytes = b""
    acquires: bytes = b""
    stuck: bool = False


def not_run(verdict: Verdict) -> Finished:
    """Return the end of a job that had no child."""
    return Finished(verdict, Ending(Usage(0.0)))


def split_outcome(outcome: Outcome, payload: bytes) -> tuple[bytes, bytes]:
    """Check an outcome's payload and return its body and its acquires, as JSON that may be passed on.

    Raises `FrameError`: our own code in the child never sends anything else, but a block may have written to the
    channel itself, and one such result must not become a request that the engine can't read.
    """
    # Without the blanks that JSON allows around a value: `result_text` puts the inside of the object to its own.
    body, acquires = payload[: outcome.body_bytes].strip(), payload[outcome.body_bytes :]
    try:
        parsed = from_json(body or b"{}", allow_inf_nan=False)
        listed = from_json(acquires or b"[]", allow_inf_nan=False)
    except ValueError:
        raise FrameError("an outcome that is not JSON", incomplete=False) from None
    if problem := _problem_of(parsed, listed):
        raise FrameError(f"an outcome of the wrong shape: {problem}", incomplete=False)
    return (b"" if not parsed else body), acquires


def _problem_of(body: object, acquires: object) -> str | None:
    """Say what the engine would refuse in an outcome (engine contract: results), or `None`."""
    if not isinstance(body, dict) or not body.keys() <= _BODY_KEYS:
        return "not an object of data and dbUpdates"
    if not isinstance(body.get("data", {}), dict):
        return "its data is no object"
    updates = body.get("dbUpdates", {})
    if (
        not isinstance(updates, dict)
        or not updates.keys() <= {"updates"}
        or not _is_of_objects(updates.get("updates", []))
    ):
        return "its dbUpdates are no list of objects in an object"
    return None if _is_of_objects(acquires) else "its acquires are no list of objects"


def _is_of_objects(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def result_text(job_id: str, finished: Finished, *, knows_retryable: bool) -> bytes:
    """Build a result, without NUL characters in its message, which PostgreSQL can't store.

    ``retryable`` is sent only to engines that know it (engine contract: results).

    The block's JSON is put in as it is: parsing and writing 8 MB again would hold the loop for another 0.1 s.
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
