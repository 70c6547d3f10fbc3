"""A job for practice, so that a real job does not pay for what happens only once in a process.

The template runs it before its heap is frozen: what Python and pydantic make in it (specialized bytecode, caches of
types and of attributes) is then shared by all children. Each child runs it before it reports that it is ready: so the
pages that a job writes to are already the child's own when the order comes. A copy costs 3 microseconds. Over half of a
child's copies used to come after its order.
"""

import asyncio
import contextlib
import json
import logging
import os
import socket
from typing import Final

from jobrunner.blocking import rehearse_watch
from jobrunner.channel import Channel
from jobrunner.job import run_order
from jobrunner.logs import FrameHandler
from jobrunner.protocol.messages import Begin, Order, Tick, to_child
from sdk.block import FunctionBlock
from sdk.block_registry import RegisteredBlock
from sdk.connection.changes.record import report_changes
from sdk.connection.places import use_places
from sdk.context import WorkflowContext
from sdk.known_hosts import known_hosts, use_known_hosts
from sdk.masking import Masking, use_masking
from sdk.models import FunctionBlockParams, FunctionBlockResultData
from sdk.registration import Registration
from sdk.results import FunctionBlockResult

_TIMES_IN_A_TEMPLATE: Final = 12
"""CPython specializes bytecode on its eighth run (3.11), or its second (3.12 and newer). If it could not, it counts
down to the next try."""

_LONGEST_SECONDS: Final = 60.0
_RESULT_CAP_BYTES: Final = 65536


class _Parameters(FunctionBlockParams):
    text: str


class _Data(FunctionBlockResultData):
    text: str


class _Rehearsal(FunctionBlock[_Parameters, _Data]):
    async def run(self, params: _Parameters, context: WorkflowContext) -> FunctionBlockResult[_Data]:
        await asyncio.sleep(0)
        return FunctionBlockResult(success=True, message="Rehearsed", data=_Data(text=params.text))


_BLOCK: Final = RegisteredBlock(
    cls=_Rehearsal,
    registration=Registration(
        package="neops",
        name="rehearsal",
        description="What a child runs before it has a job",
        run_on="global",
        fb_type="none",
        param_cls=_Parameters,
        result_cls=_Data,
    ),
    module=__name__,
    file=__file__,
    line=0,
)
"""It is in no registry, so no job can name it."""

_JOB: Final = json.dumps({"parameters": {"text": "rehearsal"}, "context": {}}).encode()


def rehearse_in_template() -> None:
    """Run it so often that Python has done everything that it does only after some runs. For one thread only."""
    for _ in range(_TIMES_IN_A_TEMPLATE):
        rehearse()


def rehearse() -> None:
    """Run it once, and leave nothing of it: no handler, hook, descriptor, thread or setting of the SDK.

    If there is no descriptor or memory for it, or a module has replaced asyncio's event loop by something broken, it
    does nothing. A job then takes a moment longer, and reports itself what is wrong.
    """
    with contextlib.suppress(Exception), contextlib.ExitStack() as undo:
        theirs, ours = socket.socketpair()
        undo.callback(theirs.close)
        channel = Channel(ours.detach())
        undo.callback(channel.close)
        undo.callback(use_masking, Masking())
        undo.callback(use_known_hosts, known_hosts())
        undo.callback(report_changes, None)
        undo.callback(use_places, None)
        theirs.sendall(_ORDER)
        order = to_child(channel.receive(0))
        assert isinstance(order, Order)
        FrameHandler(channel, {}).emit(_record())
        rehearse_watch(channel, order.block_id)
        channel.send_if_room(Tick())  # a real job sends its first tick later than this job ends
        run_order(channel, order, {order.block_id: _BLOCK})


def _order() -> Order:
    return Order(
        job_id="rehearsal",
        block_id=_BLOCK.registration.identifier,
        job_type="execute",
        run_on="global",
        job_directory=os.sep,
        log_level=logging.CRITICAL,
        result_cap_bytes=_RESULT_CAP_BYTES,
        stall_seconds=_LONGEST_SECONDS,
        sessions_per_device=1,
    )


_ORDER: Final = _order().pack() + Begin(deadline=_LONGEST_SECONDS).pack(_JOB)
"""In the form in which the supervisor sends it: no child packs one."""


def _record() -> logging.LogRecord:
    return logging.LogRecord(__name__, logging.INFO, __file__, 0, "%s", ("rehearsal",), None)
