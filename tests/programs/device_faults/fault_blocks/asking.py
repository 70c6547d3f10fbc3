"""`neops_faults/ask`: asks a device one thing, as blocks do; tells what came of it and what was left in its process."""

import asyncio
import time
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
from sdk.connection import Configuration, Connection, DeviceError, connect, connect_sync
from tests.programs.device_faults.leftovers import Present
from tests.programs.device_faults.limits import PATIENT_SECONDS

# A connection with another size limit is another one: a kept one is not taken for it.
_SIZES = (1_000_000, 1_000_001)


class AskParams(FunctionBlockParams):
    """What to ask. `then_bytes`: so long a second command. `escapes`: the error leaves the block, as in most blocks.

    `connects_again`: ask twice, over two connections. `configures`: say that the configuration will be changed.
    """

    command: str = "show clock"
    login_seconds: float = PATIENT_SECONDS
    command_seconds: float = PATIENT_SECONDS
    then_bytes: int = 0
    times: int = 1
    connects_again: bool = False
    configures: bool = False
    escapes: bool = False
    without_async: bool = False


_PATIENT = AskParams()


class Asked(FunctionBlockResultData):
    """What came of it. Times are of the system's monotonic clock; `threads_seconds` None: they are there still."""

    cause: str | None = None
    retryable: bool | None = None
    message: str = ""
    output_bytes: int = 0
    is_cut: bool = False
    is_refused: bool = False
    last_call: str = "connect"
    call_began: float = 0.0
    call_ended: float = 0.0
    descriptors_left: list[str] = Field(default_factory=list)
    threads_seconds: float | None = None
    threads_left: list[str] = Field(default_factory=list)
    next_device_answered: bool = False


@register_function_block(
    Registration(
        package="neops_faults",
        name="ask",
        description="Asks a device one thing",
        run_on="device",
        fb_type="execute",
        param_cls=AskParams,
        result_cls=Asked,
    )
)
class Ask(FunctionBlock[AskParams, Asked]):
    """Asks the job's device, then the next one of the context, which is healthy."""

    async def run(self, params: AskParams, context: WorkflowContext) -> FunctionBlockResult[Asked]:
        if params.escapes:
            await _ask(params, context.device, Asked())
        asked = Asked()
        # What is made once for a process is no leak: the loop's own threads, netmiko's modules.
        healthy = context.devices[-1]
        await _ask(_PATIENT, healthy, Asked())
        await asyncio.to_thread(int)  # asyncio's own thread, in which `connect_sync` is called here
        present = Present.now()
        try:
            if params.without_async:
                await asyncio.to_thread(_ask_without_async, params, context.device, asked)
            else:
                await _ask(params, context.device, asked)
        except DeviceError as error:
            asked.cause, asked.retryable, asked.message = str(error.cause), error.retryable, str(error)
        finally:
            asked.call_ended = time.monotonic()
        found = await present.left(asked.call_ended)
        asked.threads_seconds, asked.threads_left, asked.descriptors_left = found
        again = Asked()
        await _ask(_PATIENT, healthy, again)
        asked.next_device_answered = again.output_bytes > 0
        return FunctionBlockResult(success=asked.cause is None, message=asked.message or "Done", data=asked)


async def _ask(params: AskParams, device: Any, asked: Asked) -> None:
    for size in _SIZES[: 1 + params.connects_again]:
        asked.last_call, asked.call_began = "connect", time.monotonic()
        async with connect(device, **_options(params, size)) as connection:
            for command in _commands(params):
                await _send(connection, command, params, asked)


async def _send(connection: Connection, command: str, params: AskParams, asked: Asked) -> None:
    asked.last_call, asked.call_began = "send_command", time.monotonic()
    _note(asked, await connection.send_command(command, timeout=params.command_seconds))


def _ask_without_async(params: AskParams, device: Any, asked: Asked) -> None:
    for size in _SIZES[: 1 + params.connects_again]:
        asked.last_call, asked.call_began = "connect", time.monotonic()
        with connect_sync(device, **_options(params, size)) as connection:
            for command in _commands(params):
                asked.last_call, asked.call_began = "send_command", time.monotonic()
                _note(asked, connection.send_command(command, timeout=params.command_seconds))


def _options(params: AskParams, size: int) -> dict[str, Any]:
    needs = (Configuration,) if params.configures else ()
    return {"login_seconds": params.login_seconds, "max_output_bytes": size, "needs": needs}


def _commands(params: AskParams) -> list[str]:
    return [params.command] * params.times + ["x" * params.then_bytes] * bool(params.then_bytes)


def _note(asked: Asked, answer: Any) -> None:
    asked.output_bytes, asked.is_cut = len(answer.output), answer.is_cut
    asked.is_refused = answer.is_refused
    asked.message = answer.output[:200]
