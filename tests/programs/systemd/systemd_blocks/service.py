"""Blocks that look at the service from inside a job, and one that speaks to systemd in the worker's name."""

import os
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from pydantic import Field

from sdk import (
    FunctionBlock,
    FunctionBlockParams,
    FunctionBlockResult,
    FunctionBlockResultData,
    Registration,
    WorkflowContext,
    register_function_block,
)

_SEND = """
import socket, sys
address = sys.argv[1]
for message in sys.argv[2:]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.sendto(message.encode(), address)
"""


class Params(FunctionBlockParams):
    """What is sent, and where to."""

    address: str = ""
    messages: list[str] = Field(default_factory=list)


class Data(FunctionBlockResultData):
    """Whatever it tells."""

    value: Any = None


def block(
    function: Callable[[Params], Awaitable[Any]],
) -> type[FunctionBlock[Params, Data]]:
    """Make a block `neops_systemd/<name>:1.0.0` of `function`: what it returns is the value of a success."""

    class Block(FunctionBlock[Params, Data]):
        async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
            return FunctionBlockResult(success=True, message="Done", data=Data(value=await function(params)))

    Block.__name__ = Block.__qualname__ = function.__name__
    Block.__module__, Block.__doc__ = function.__module__, function.__doc__
    registration = Registration(
        package="neops_systemd",
        name=function.__name__,
        description=function.__doc__ or "",
        run_on="global",
        fb_type="execute",
        param_cls=Params,
        result_cls=Data,
    )
    return register_function_block(registration)(Block)


@block
async def forge(params: Params) -> Any:
    """Sends messages to systemd: from the job itself, and from a program of its that has left its session."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        for message in params.messages:
            sender.sendto(message.replace("{pid}", str(os.getpid())).encode(), params.address)
    messages = [message.replace("{pid}", str(os.getpid())) for message in params.messages]
    subprocess.run(
        ["setsid", "--wait", sys.executable, "-c", _SEND, params.address, *messages], check=True, timeout=30
    )
    return 2 * len(messages)


@block
async def myself(params: Params) -> Any:
    """Tells its user, its capabilities, what it has open, and whether its environment says where systemd listens."""
    links = [_link(number) for number in os.listdir("/proc/self/fd")]
    with open("/proc/self/status", encoding="ascii") as status:
        facts = dict(line.rstrip("\n").split(":\t", 1) for line in status if ":\t" in line)
    return {
        "user": os.getuid(),
        "capabilities": [facts[name] for name in ("CapEff", "CapPrm", "CapInh", "CapAmb")],
        "open": [link for link in links if link],
        "environment": sorted(os.environ),
    }


def _link(number: str) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{number}")
    except FileNotFoundError:
        return ""  # the descriptor of the listing


@block
async def credentials(params: Params) -> Any:
    """Looks for what systemd has handed over to the worker."""
    try:
        with open("/run/credentials/neops-supervisor.service/engine-token", encoding="ascii") as file:
            read = f"got {len(file.read())} characters"
    except OSError as error:
        read = f"refused: {type(error).__name__}"
    return {"variable": os.environ.get("CREDENTIALS_DIRECTORY"), "read": read}
