"""Blocks in which something goes wrong that does not come out of `run`."""

import asyncio
import signal
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


@register_function_block(block("logs_in_a_handler"))
class LogsInAHandler(Base):
    """Logs 500 lines, and one more from the handler of each signal that comes meanwhile."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        """Return how many signals came."""
        ticks = 0

        def tick(*_: object) -> None:
            nonlocal ticks
            ticks += 1
            self.logger.info("tick")

        signal.signal(signal.SIGALRM, tick)
        for number in range(500):
            # Once for each line, so that no handler interrupts another, and sooner or later within the call.
            signal.setitimer(signal.ITIMER_REAL, 0.00001 * (1 + number % 25))
            self.logger.info("line")
        signal.setitimer(signal.ITIMER_REAL, 0)
        return done(ticks)
