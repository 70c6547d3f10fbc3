"""Blocks in which something goes wrong that does not come out of `run`."""

import asyncio
import threading
from typing import Any

from sdk import FunctionBlockResult, WorkflowContext, register_function_block

from .process_blocks import Base, Data, Params, block, done


def fails() -> None:
    """Raise."""
    raise KeyError("lost")


class Poller:
    """Holds its task, and so lives in a circle with it once that has failed."""

    def __init__(self) -> None:
        self.task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, and never look at how it went."""
        self.task = asyncio.create_task(self.poll())

    async def poll(self) -> None:
        """Fail."""
        fails()


class Unreadable:
    """Can't be shown."""

    def __str__(self) -> str:
        raise ValueError("no text")


@register_function_block(block("mishaps"))
class Mishaps(Base):
    """Succeeds, whatever goes wrong beside it."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        """Let happen what `text` names."""
        match params.text:
            case "log call":
                wrong: Any = ("%d items %s", "x")
                self.logger.info(*wrong)
            case "field":
                self.logger.info("fine", extra={"odd": Unreadable()})
            case "thread":
                thread = threading.Thread(target=fails, name="poller")
                thread.start()
                thread.join()
            case _:
                Poller().start()
                await asyncio.sleep(0.05)
        return done(None)
