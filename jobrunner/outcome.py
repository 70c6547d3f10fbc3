"""Makes one frame from what a block returned, or a clear failure that says why it can't."""

from jobrunner.protocol.caps import MESSAGE_CAP_CHARS, WARNING_CAP_CHARS, cut
from jobrunner.protocol.messages import Outcome
from sdk.encoding import to_json
from sdk.errors import EncodingError
from sdk.execution import OutcomeBody


def failed(message: str, *, retryable: bool | None = None, raised: bool = False) -> OutcomeBody:
    """Build the body of a failure that has only a message."""
    return OutcomeBody(
        success=False,
        message=message,
        data=None,
        db_updates=None,
        acquires=None,
        retryable=retryable,
        warnings=(),
        raised=raised,
    )


def without_memory(block_id: str) -> OutcomeBody:
    """Build the failure of a block whose result takes more memory to write as JSON than its process gets."""
    # Nothing is said about a retry: the memory may be short only now.
    return failed(
        f"{block_id} returned a result for which its process has not enough memory: it could not be written as JSON. "
        "Return less. What limits it: ulimit -v, LimitAS= of the worker's unit, or vm.overcommit_memory."
    )


def encode(body: OutcomeBody, cap_bytes: int, block_id: str = "The block") -> tuple[Outcome, bytes]:
    """Encode `body` as JSON. If it can't be encoded, or is over `cap_bytes`, the result is a failed outcome.

    The encoding happens here, in the child. The engine's client raises for a UUID or a set only when it sends; then
    nobody is left to report it to. And it writes NaN, which is not JSON.
    """
    try:
        result, acquires = _encode_parts(body)
    except EncodingError as error:
        return encode(
            failed(f"{block_id}: the result can't be sent as JSON: {error}", retryable=False), cap_bytes
        )
    size = len(result) + len(acquires)
    if size > max(cap_bytes, 1024):
        text = (
            f"{block_id} returned {size} bytes of JSON; this worker sends at most {cap_bytes}. {_largest(body)}"
            "Return less, or raise --max-result-mb."
        )
        return encode(failed(text, retryable=False), cap_bytes)
    header = Outcome(
        success=body.success,
        message=cut(body.message, MESSAGE_CAP_CHARS),
        retryable=body.retryable,
        raised=body.raised,
        warning=cut("; ".join(text.rstrip(".") for text in body.not_awaited), WARNING_CAP_CHARS),
        body_bytes=len(result),
    )
    return header, result + acquires


def _largest(body: OutcomeBody) -> str:
    """Say in a sentence where most of it is."""
    parts = {f"data.{name}": value for name, value in (body.data or {}).items()}
    parts |= {"the updates of entities": body.db_updates or [], "acquires": body.acquires or []}
    sizes = {name: len(to_json(value)) for name, value in parts.items()}
    name = max(sizes, key=sizes.__getitem__)
    return f"Most of it is {name[:100]}, {sizes[name]} characters. "


def _encode_parts(body: OutcomeBody) -> tuple[bytes, bytes]:
    result: dict[str, object] = {}
    if body.data is not None:
        result["data"] = body.data
    if body.db_updates:
        result["dbUpdates"] = {"updates": body.db_updates}
    acquires = to_json(body.acquires).encode() if body.acquires is not None else b""
    return to_json(result).encode(), acquires
