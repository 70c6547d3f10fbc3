"""Blocks that take places for sessions on a device, without any device."""

import asyncio
import os
import socket
import threading
import time
from pathlib import Path

from sdk import FunctionBlockResult, WorkflowContext, register_function_block
from sdk.concurrency import run_in_thread
from sdk.connection import connect
from sdk.connection.deadline import Deadline
from sdk.connection.places import SessionPlace

from .process_blocks import Base, Data, Params, block, done


async def _until_exists(path: Path) -> None:
    while not path.exists():
        await asyncio.sleep(0.01)


@register_function_block(block("holds_places"))
class HoldsPlaces(Base):
    """Takes four places on the device `text`, keeps them until a file `marker` is there, ends when `end` is."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        """Return when they were given back."""
        places = [SessionPlace(params.text) for _ in range(4)]
        for place in places:
            place.wait(Deadline(30))  # on the loop: what the worker answers must be heard there too
        Path(f"{params.marker}.taken").touch()
        await _until_exists(Path(params.marker))
        at = time.monotonic()
        for place in places:
            place.give_back()
            place.give_back()
        await _until_exists(Path(params.marker).with_name("end"))
        return done(at)


@register_function_block(block("asks_a_device"))
class AsksADevice(Base):
    """Connects to the device of the context within `mb` seconds, asks it, and stays until a file `marker` is there."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        """Return what it said."""
        async with connect(context.devices[0], login_seconds=params.mb) as connection:
            answer = await connection.send_command("show clock")
            Path(f"{params.marker}.{params.text}").touch()
            await _until_exists(Path(params.marker))
        return done(answer.output)


@register_function_block(block("wants_a_place"))
class WantsAPlace(Base):
    """Wants one place on the device `text`, within `mb` seconds."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        """Return when it was given."""
        place = SessionPlace(params.text)
        Path(f"{params.marker}.asked").touch()
        await run_in_thread(place.wait)(Deadline(params.mb))
        return done(time.monotonic())


@register_function_block(block("ends_while_it_asks"))
class EndsWhileItAsks(Base):
    """Ends, with 450 lines in its log, while a thread of it waits for a second place on the device `text`."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        """Give the first place back when a file `marker` is there, and return with that."""
        first, second = SessionPlace(params.text), SessionPlace(params.text)
        first.wait(Deadline(30))
        threading.Thread(target=second.wait, args=(Deadline(30),), daemon=True).start()
        Path(f"{params.marker}.pid").write_text(f"{os.getpid()}\n")
        while not Path(params.marker).exists():  # nothing of it is sent meanwhile
            time.sleep(0.01)
        with socket.socket(fileno=os.dup(3)) as channel:
            channel.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2**20)  # room for all of it
        first.give_back()
        for number in range(450):
            self.logger.info("line %d", number)
        return done("whole")
