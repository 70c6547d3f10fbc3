"""`neops_faults/change`: `neops_base/configure`, telling how long its calls took and what they left."""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

from pydantic import BaseModel, Field

from blocks.devices.configure import Configure
from blocks.devices.configure_request import ConfigureParams
from sdk import (
    FunctionBlock,
    FunctionBlockResult,
    FunctionBlockResultData,
    Registration,
    WorkflowContext,
    register_function_block,
)
from sdk.connection import Connection, connect
from sdk.connection.platforms.typed_configuration import TypedConfiguration
from tests.programs.device_faults.leftovers import Present

_CALLS = ("plan", "apply", "save_config")


class ChangeParams(ConfigureParams):
    """What to configure. `dies_after_lines`: after so many lines its process is killed.

    `drops_after_lines`: after so many lines its connection is cut.
    """

    dies_after_lines: int | None = None
    drops_after_lines: int | None = None


class Call(BaseModel):
    """One call, on the system's monotonic clock."""

    name: str
    began: float
    ended: float
    limit_seconds: float


class Changed(FunctionBlockResultData):
    """What came of it. `threads_seconds` None: they are there still."""

    calls: list[Call] = Field(default_factory=list)
    threads_seconds: float | None = None
    threads_left: list[str] = Field(default_factory=list)
    descriptors_left: list[str] = Field(default_factory=list)
    next_device_answered: bool = False


@register_function_block(
    Registration(
        package="neops_faults",
        name="change",
        description="Changes a device's configuration",
        run_on="device",
        fb_type="configure",
        param_cls=ChangeParams,
        result_cls=Changed,
    )
)
class Change(FunctionBlock[ChangeParams, Changed]):
    """Configures the job's device, then asks the next one of the context, which is healthy."""

    async def run(self, params: ChangeParams, context: WorkflowContext) -> FunctionBlockResult[Changed]:
        healthy = context.devices[-1]
        await _ask(healthy)  # what is made once for a process is no leak
        present, changed = Present.now(), Changed()
        with _timed(changed.calls), _interrupted(params):
            done = await Configure().run(params, context)
        found = await present.left(time.monotonic())
        changed.threads_seconds, changed.threads_left, changed.descriptors_left = found
        changed.next_device_answered = await _ask(healthy)
        return FunctionBlockResult(
            success=done.success, message=done.message or "", data=changed, retryable=done.retryable
        )


async def _ask(device: Any) -> bool:
    async with connect(device, login_seconds=20) as connection:
        return bool((await connection.send_command("show clock", timeout=20)).output)


@contextlib.contextmanager
def _timed(calls: list[Call]) -> Iterator[None]:
    originals = {name: getattr(Connection, name) for name in _CALLS}
    for name, original in originals.items():
        setattr(Connection, name, _noting(name, original, calls))
    try:
        yield
    finally:
        for name, original in originals.items():
            setattr(Connection, name, original)


def _noting(name: str, original: Callable[..., Any], calls: list[Call]) -> Callable[..., Any]:
    async def call(connection: Connection, *values: Any, timeout: float, **options: Any) -> Any:
        began = time.monotonic()
        try:
            return await original(connection, *values, timeout=timeout, **options)
        finally:
            calls.append(Call(name=name, began=began, ended=time.monotonic(), limit_seconds=timeout))

    return call


@contextlib.contextmanager
def _interrupted(params: ChangeParams) -> Iterator[None]:
    original, sent = TypedConfiguration.send_config_line, 0

    def send(self: TypedConfiguration, *values: Any, **options: Any) -> str:
        nonlocal sent
        if sent == params.dies_after_lines:
            os.kill(os.getpid(), signal.SIGKILL)
        if sent == params.drops_after_lines:
            self.session.abort("somebody has cut it")
        sent += 1
        return original(self, *values, **options)

    TypedConfiguration.send_config_line = send  # type: ignore[method-assign]
    try:
        yield
    finally:
        TypedConfiguration.send_config_line = original  # type: ignore[method-assign]
