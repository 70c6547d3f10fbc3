"""A job that wants to control its own worker. It is given the worker's secret, as if it had found it out."""

import json
import os
import socket
import time
from collections.abc import Callable
from pathlib import Path

from pydantic import Field

from sdk import (
    FunctionBlock,
    FunctionBlockParams,
    FunctionBlockResult,
    FunctionBlockResultData,
    WorkflowContext,
    register_function_block,
)

from .attacking import attacking


class AskingParams(FunctionBlockParams):
    """Where the worker listens, and what it wants to hear."""

    directory: str = Field(description="The worker's runtime directory")
    given: str = Field(description="What a client has to know")


class AskingData(FunctionBlockResultData):
    """What came of each way."""

    got: dict[str, str]


@register_function_block(
    attacking("asks_worker", "Wants to control its own worker", AskingParams, AskingData, is_pure=False)
)
class AsksWorker(FunctionBlock[AskingParams, AskingData]):
    """Asks itself, by a child, and by a daemon that has lost its parents; and reads and removes what it finds."""

    async def run(self, params: AskingParams, context: WorkflowContext) -> FunctionBlockResult[AskingData]:
        """Return what came of each way."""
        place = Path(params.directory)
        ways: dict[str, Callable[[], str]] = {
            "itself": lambda: _ask(place, params.given),
            "child": lambda: _in_a_child(lambda: _ask(place, params.given)),
            "daemon": lambda: _in_a_child(lambda: _ask(place, params.given), orphaned=True),
            "read": lambda: (place / "control.secret").read_text(),
            "remove": lambda: str((place / "control.sock").unlink()),
            "replace": lambda: str((place / "control.secret").write_text("mine")),
        }
        return FunctionBlockResult(
            success=True, message="", data=AskingData(got=dict(map(_tried, ways.items())))
        )


def _tried(way: tuple[str, Callable[[], str]]) -> tuple[str, str]:
    name, attempt = way
    try:
        return name, f"got: {attempt()}"
    except OSError as error:
        return name, f"refused: {error.strerror}"


def _ask(place: Path, given: str) -> str:
    request = json.dumps({"secret": given, "command": "status", "arguments": {}})
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(str(place / "control.sock"))
        try:
            connection.sendall(request.encode() + b"\n")
            return connection.recv(4096).decode()
        except (BrokenPipeError, ConnectionResetError):
            return ""


def _in_a_child(work: Callable[[], str], *, orphaned: bool = False) -> str:
    reading, writing = os.pipe()
    if os.fork() == 0:
        parent = os.getpid()
        if orphaned and os.fork() > 0:
            os._exit(0)
        while orphaned and os.getppid() == parent:
            time.sleep(0.005)
        try:
            os.write(writing, work().encode())
        except OSError as error:
            os.write(writing, f"({error.strerror})".encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        return answer.read()
