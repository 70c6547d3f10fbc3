"""A job that wants to control its own worker. It is given the worker's secret, as if it had found it out."""

import asyncio
import contextlib
import json
import os
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

from declaring import contract_block
from pydantic import Field

from sdk import (
    FunctionBlock,
    FunctionBlockParams,
    FunctionBlockResult,
    FunctionBlockResultData,
    WorkflowContext,
    register_function_block,
)


class AskingParams(FunctionBlockParams):
    """Where the worker listens, and what it wants to hear."""

    directory: str = Field(description="The worker's runtime directory")
    given: str = Field(description="What a client has to know")


class AskingData(FunctionBlockResultData):
    """What came of each way."""

    got: dict[str, str]


@register_function_block(contract_block("asks_worker", AskingParams, result_cls=AskingData))
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


@register_function_block(contract_block("floods_worker", AskingParams))
class FloodsWorker(FunctionBlock[AskingParams, FunctionBlockResultData]):
    """Connects to its own worker with hundreds of threads, each anew as soon as it is cut off, and never ends."""

    async def run(
        self, params: AskingParams, context: WorkflowContext
    ) -> FunctionBlockResult[FunctionBlockResultData]:
        """Connect until somebody ends it."""
        for _ in range(250):
            threading.Thread(target=_connect_again_and_again, args=(params.directory,), daemon=True).start()
        print("flooded", flush=True)
        await asyncio.Event().wait()
        raise AssertionError("nobody sets it")


def _connect_again_and_again(directory: str) -> None:
    while True:
        with socket.socket(socket.AF_UNIX) as connection, contextlib.suppress(OSError):
            connection.connect(f"{directory}/control.sock")
            connection.recv(1)


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
