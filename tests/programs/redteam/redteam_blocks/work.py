"""Jobs that send what costs the supervisor much: they write to its channel and its dump themselves."""

import os
import time

from pydantic import Field

from sdk import (
    FunctionBlock,
    FunctionBlockParams,
    FunctionBlockResult,
    FunctionBlockResultData,
    WorkflowContext,
    register_function_block,
)

from .attacking import attacking, send, send_outcome

_DUMP = 4


class WorkParams(FunctionBlockParams):
    """Which attack, and for how long."""

    attack: str = Field(description="Its name")
    seconds: float = Field(default=3.0, description="How long it goes on")


@register_function_block(attacking("work", "Has the supervisor work", WorkParams))
class Work(FunctionBlock[WorkParams, FunctionBlockResultData]):
    """Has the supervisor work."""

    async def run(
        self, params: WorkParams, context: WorkflowContext
    ) -> FunctionBlockResult[FunctionBlockResultData]:
        getattr(self, params.attack)(params.seconds)
        return FunctionBlockResult(success=True, message="Done", data=FunctionBlockResultData())

    def secrets(self, seconds: float) -> None:
        """Tell of 200 secrets with one beginning, then log texts full of escapes."""
        for number in range(200):
            send({"type": "secret", "value": "A" * (6 + number % 16 * 60) + f"{number:03}"})
        text = (("A" * 10 + "\\x41%41&#65;'\"'\"'\r\n ") * 700)[:16_000]
        log = {"type": "log", "level": 30, "logger": "block", "text": text, "created": 0.0}
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            send(log)

    def dump(self, seconds: float) -> None:
        """Fill the dump, and die as in a crash."""
        os.write(_DUMP, b'  File "' * 8192)
        os._exit(3)

    def tiny_objects(self, seconds: float) -> None:
        """Send an outcome of 8 MB of objects with nothing in them."""
        _outcome(b'{"data":{"a":[' + b"{}," * 2_600_000 + b"{}]}}")

    def list_as_data(self, seconds: float) -> None:
        """Send an outcome whose data is a list."""
        _outcome(b'{"data":[1,2,3]}')

    def hidden(self, seconds: float) -> None:
        """Print what a terminal would show the other way round."""
        print("user \u202egnp.exe\u202c \u200bsaid\u2066 so", flush=True)


def _outcome(body: bytes) -> None:
    send_outcome(body)
    os._exit(0)
