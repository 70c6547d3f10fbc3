"""What the attacks' blocks have in common: their registrations, and what some of them write to the channel."""

import json
import os
import struct

from sdk import FunctionBlockParams, FunctionBlockResultData, Registration

CHANNEL = 3


def attacking(
    name: str,
    description: str,
    param_cls: type[FunctionBlockParams],
    result_cls: type[FunctionBlockResultData] = FunctionBlockResultData,
    *,
    is_pure: bool = True,
) -> Registration:
    """Return the registration `neops_redteam/<name>:1.0.0`."""
    return Registration(
        package="neops_redteam",
        name=name,
        description=description,
        run_on="global",
        fb_type="execute",
        param_cls=param_cls,
        result_cls=result_cls,
        is_pure=is_pure,
        is_idempotent=True,
    )


def send_outcome(body: bytes, channel: int = CHANNEL) -> None:
    """Send an outcome that succeeds, with this body. Raises `OSError`."""
    send({"type": "outcome", "success": True, "message": "crafted", "body_bytes": len(body)}, body, channel)


def send(header: object, payload: bytes = b"", channel: int = CHANNEL) -> None:
    """Send a frame as the child does. Raises `OSError`."""
    send_text(json.dumps(header).encode(), payload, channel)


def send_text(text: bytes, payload: bytes = b"", channel: int = CHANNEL) -> None:
    """Send a frame whose header is this text, whatever it is. Raises `OSError`."""
    data = memoryview(struct.pack("!II", len(text), len(payload)) + text + payload)
    os.set_blocking(channel, True)
    while data:
        data = data[os.write(channel, data) :]
