"""The two jobs of a column: one that has something to lose, and one that makes every attempt."""

import ctypes
import json
import os
import signal
import socket
import time
from multiprocessing import shared_memory
from pathlib import Path
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

from . import files, processes, surroundings
from .attempt import ATTEMPTS, Targets, outcome
from .calls import libc

assert all((files, processes, surroundings)), "they register their attempts"
_SECRET = b"secret of a sibling"
_PRIVATE, _REMOVE = 0, 0


def _registration(name: str, description: str, result_cls: type[FunctionBlockResultData]) -> Registration:
    return Registration(
        package="neops_isolation",
        name=name,
        description=description,
        run_on="global",
        fb_type="execute",
        param_cls=JobParams,
        result_cls=result_cls,
        is_pure=False,
        is_idempotent=False,
    )


class JobParams(FunctionBlockParams):
    """Where the two meet, and what is to be tried."""

    exchange: str = Field(description="A directory that both may use")
    targets: dict[str, Any] = Field(default_factory=dict, description="What the attempts are made on")
    only: list[str] = Field(default_factory=list, description="Attempts to make; none: all")


class Attempted(FunctionBlockResultData):
    """What became of each attempt, by its name."""

    outcomes: dict[str, dict[str, str]]


@register_function_block(_registration("attempts", "Tries what a job must not do", Attempted))
class Attempts(FunctionBlock[JobParams, Attempted]):
    """Tries what a job must not do."""

    async def run(self, params: JobParams, context: WorkflowContext) -> FunctionBlockResult[Attempted]:
        sibling = json.loads(Path(params.exchange, "sibling").read_text())
        targets = Targets(exchange=params.exchange, **params.targets, **sibling)
        outcomes = {
            name: outcome(run, targets)
            for name, run in ATTEMPTS.items()
            if name in params.only or not params.only
        }
        return FunctionBlockResult(success=True, message="Done", data=Attempted(outcomes=outcomes))


@register_function_block(_registration("sibling", "Has a secret", FunctionBlockResultData))
class Sibling(FunctionBlock[JobParams, FunctionBlockResultData]):
    """Has a secret in its memory, files, sockets and shared memory, and waits for the end of the attempts."""

    async def run(
        self, params: JobParams, context: WorkflowContext
    ) -> FunctionBlockResult[FunctionBlockResultData]:
        exchange = Path(params.exchange)
        signals = exchange / "signals"
        signals.touch()

        def note(number: int, _: object) -> None:
            with signals.open("a") as file:
                file.write(f"{number}\n")

        signal.signal(signal.SIGUSR2, note)
        for name in ("secret", "delete", "truncate"):
            Path(name).write_bytes(_SECRET)
        held = ctypes.create_string_buffer(_SECRET)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(f"\0neops-isolation-{os.getpid()}")
            listener.listen(20)
            segment = libc.shmget(_PRIVATE, 4096, 0o600)
            shared = shared_memory.SharedMemory(f"neops-isolation-{os.getpid()}", create=True, size=16)
            told = {
                "sibling": os.getpid(),
                "sibling_directory": os.getcwd(),
                "sibling_abstract": f"neops-isolation-{os.getpid()}",
                "sibling_secret": ctypes.addressof(held),
                "sibling_secret_bytes": len(_SECRET),
                "sibling_segment": segment,
            }
            try:
                (exchange / "new").write_text(json.dumps(told))
                (exchange / "new").rename(exchange / "sibling")
                while not (exchange / "go").exists():
                    if (exchange / "asked").exists():
                        # For `signal_by_owner`: a signal that had come was handled before this line.
                        (exchange / "asked").rename(exchange / "answered")
                    time.sleep(0.02)
            finally:
                libc.shmctl(segment, _REMOVE, None)
                shared.close()
                shared.unlink()
        return FunctionBlockResult(success=True, message="Done", data=FunctionBlockResultData())
