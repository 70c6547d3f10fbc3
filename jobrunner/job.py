"""One job in one child: finds the block, runs it under `asyncio.run`, sends exactly one outcome."""

import asyncio
import contextlib
import gc
import json
import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NoReturn

from jobrunner.awaits import write_awaiting, write_threads
from jobrunner.blocking import watched_for_blocking
from jobrunner.bootstrap import DUMP_DESCRIPTOR
from jobrunner.channel import Channel
from jobrunner.device_reports import know_host_keys, reporting_changes
from jobrunner.device_sessions import WorkerPlaces
from jobrunner.hearing import Hearing
from jobrunner.masking import mask_with, telling
from jobrunner.outcome import encode, failed, without_memory
from jobrunner.protocol.caps import ORDER_CAP_BYTES
from jobrunner.protocol.exit_codes import CHANNEL_LOST
from jobrunner.protocol.messages import Begin, Order, to_child
from jobrunner.protocol.ticks import shortest_tick_seconds
from jobrunner.ticker import Ticker
from sdk.block_registry import RegisteredBlock, registry
from sdk.boundary import log_with_traceback
from sdk.connection.changes.record import report_changes
from sdk.connection.places import use_places
from sdk.execution import JobInput, OutcomeBody, run_job
from sdk.job import JobMeta
from sdk.logger import block_logger
from sdk.masking import hiding
from sdk.sensitive import collect_secrets

_MOST_OBJECTS: Final = 1_000_000
_LARGE_BYTES: Final = 256 * 1024
"""If a job comes with more, it takes longer to search it for secrets than to run the rest of an ordinary job."""
_kept: list[object] = []
"""What a large job came with. To free the objects of ten megabytes takes 20 ms, and this process ends anyway."""
_end: Callable[[], NoReturn] | None = None
_log = logging.getLogger("block")
_BLOCK_LOGGER = block_logger("block", _log)


def _join_no_threads(loop: asyncio.AbstractEventLoop) -> None:
    """Make `asyncio.run` leave the default executor's threads to the end of the process.

    A thread that hangs in a device's socket would keep a finished job open until its time limit, and turn its result
    into a failure. An executor of our own is no way: asyncio would start a thread in every job, to shut it down.
    """

    async def shut_nothing_down(timeout: float | None = None) -> None:  # the signature since Python 3.12
        pass

    loop.shutdown_default_executor = shut_nothing_down  # type: ignore[method-assign]  # of this loop only


def end_at_once(end: Callable[[], NoReturn]) -> None:
    """Let a job end its process by `end` when its outcome is sent, if nothing is left on its loop."""
    global _end
    _end = end


def _is_empty(loop: object) -> bool:
    """Whether a block has left nothing on a loop: no task except this one, no callback, timer, descriptor or generator.

    The end of `asyncio.run` would then take some turns of the loop in which nothing happens. This uses names inside of
    asyncio: if one is missing, or the loop is of another kind, the answer is False.
    """
    if type(loop) is not asyncio.SelectorEventLoop:
        return False
    inside: Any = loop
    try:
        return (
            not inside._ready
            and all(timer.cancelled() for timer in inside._scheduled)
            and not inside._asyncgens
            and len(inside._selector.get_map()) == 1  # the descriptor that wakes it
            and len(asyncio.all_tasks(loop)) == 1
        )
    except AttributeError:
        return False


def _begun(channel: Channel) -> tuple[float, bytes]:
    """Wait until the job may begin. Returns its deadline and its payload; ends this process if they never come.

    They come when the job's claim is on the disk. Before that nothing of the block runs, not even a validator.
    """
    try:
        frame = channel.receive(ORDER_CAP_BYTES)
    except (EOFError, OSError):  # the job is not run after all, or the supervisor is gone
        os._exit(0)
    begin = to_child(frame)
    if not isinstance(begin, Begin):
        os._exit(0)
    return begin.deadline, frame.payload


def run_order(
    channel: Channel,
    order: Order,
    blocks: Mapping[str, RegisteredBlock] = registry.function_blocks,
) -> None:
    """Run the ordered job as soon as it may begin. Sends one outcome, whatever the block raises, and ends after it."""
    mask_with(order.redact_keys, telling(channel))
    payload, sent = b"", False

    async def live() -> None:
        nonlocal payload, sent
        deadline, payload = _begun(channel)
        body = await _run_until_cancelled(channel, order, deadline, payload, blocks)
        # Before the loop is torn down: clean-up of tasks that the block left behind may take long, or fail. Neither
        # may change what the block returned.
        if not (sent or not channel.is_mine):
            _send(channel, order, body)
            sent = True
        # asyncio reports an exception that nobody has read when its task is freed. Many tasks refer to themselves by
        # their own traceback. With very many objects, the search would take longer than a child may still live.
        if len(gc.get_objects()) < _MOST_OBJECTS:
            gc.collect()
        if _end is not None and channel.is_mine and _is_empty(asyncio.get_running_loop()):
            _end()

    try:
        asyncio.run(live())
    except BaseException as error:
        if sent or not channel.is_mine:
            return
        if not payload:
            raise  # it has not begun: its loop has no descriptor or memory, and there is nothing of the block to report
        # SystemExit in a task that the block started ends the loop, and does not pass through the job.
        what = f"{order.block_id} (a task or callback of its own, which ended its event loop)"
        text = log_with_traceback(error, what, _BLOCK_LOGGER, hiding(collect_secrets(json.loads(payload))))
        _send(channel, order, failed(text, raised=True))


def _send(channel: Channel, order: Order, body: OutcomeBody) -> None:
    try:
        with contextlib.suppress(MemoryError):
            channel.send(*encode(body, order.result_cap_bytes, order.block_id))
            return
        # Nothing was sent. This comes after the error, which holds what was written of the result.
        channel.send(*encode(without_memory(order.block_id), order.result_cap_bytes))
    except OSError:
        # Only the exit code is left to report it.
        os._exit(CHANNEL_LOST)


async def _run_until_cancelled(
    channel: Channel,
    order: Order,
    deadline: float,
    payload: bytes,
    blocks: Mapping[str, RegisteredBlock],
) -> OutcomeBody:
    loop = asyncio.get_running_loop()
    _join_no_threads(loop)
    reason: str | None = None
    whole = asyncio.current_task()

    def is_cancelled() -> bool:
        # The loop cancels all tasks when an exception ends it. Then that exception must be reported.
        return reason is not None or (whole is not None and whole.cancelling() > 0)

    job = loop.create_task(_run_block(channel, order, deadline, payload, blocks, is_cancelled), name="block")

    def cancel(why: str) -> None:
        nonlocal reason
        reason = why
        # Before the cancellation unwinds the job: this is where the time went. An error here must not keep the job from
        # being cancelled.
        with contextlib.suppress(Exception):
            write_awaiting(DUMP_DESCRIPTOR)
            write_threads(DUMP_DESCRIPTOR)
        job.cancel(why)

    hearing = Hearing(channel, loop, cancel)
    loop.add_reader(channel.fileno(), hearing.hear)
    if order.sessions_per_device:
        hearing.places = WorkerPlaces(channel, order.sessions_per_device, hearing.hear_in_thread)
        use_places(hearing.places)
    report_changes(reporting_changes(channel))
    interval_seconds = shortest_tick_seconds(order.stall_seconds, order.blocking_seconds)
    ticking: Ticker | None = None
    try:
        with watched_for_blocking(channel, order) as detector:
            ticking = Ticker(channel, interval_seconds, detector) if interval_seconds else None
            return await job
    except asyncio.CancelledError:
        if reason is not None:
            return failed(f"Cancelled: {reason}.")
        if is_cancelled():
            raise
        text = (
            f"{order.block_id} cancelled the task that runs it, and then returned: its result is lost. "
            "Cancel only tasks that the block has started itself."
        )
        return failed(text, raised=True)
    finally:
        if ticking is not None:
            ticking.stop()
        loop.remove_reader(channel.fileno())


async def _run_block(
    channel: Channel,
    order: Order,
    deadline: float,
    payload: bytes,
    blocks: Mapping[str, RegisteredBlock],
    is_cancelled: Callable[[], bool],
) -> OutcomeBody:
    block = blocks.get(order.block_id)
    if block is None:
        return failed(f"Block {order.block_id} is not in this child, although it is in the catalogue.")
    # A garbage collection would find nothing while objects are only built up, and would check all of them each time.
    gc.disable()
    try:
        return await _run_with(channel, order, deadline, payload, block, is_cancelled)
    finally:
        gc.enable()


async def _run_with(
    channel: Channel,
    order: Order,
    deadline: float,
    payload: bytes,
    block: RegisteredBlock,
    is_cancelled: Callable[[], bool],
) -> OutcomeBody:
    is_large = len(payload) > _LARGE_BYTES

    def was_read(made: object) -> None:
        if is_large:
            _kept.append(made)
        gc.freeze()
        gc.enable()

    job: dict[str, Any] = json.loads(payload)
    know_host_keys(channel, order, job)
    meta = JobMeta(
        job_id=order.job_id,
        block_id=order.block_id,
        step_label=order.step_label,
        deadline=deadline,
        job_directory=Path(order.job_directory),
    )
    return await run_job(
        block,
        JobInput(
            type=order.job_type,
            parameters=job["parameters"],
            context=job["context"],
            run_on=order.run_on,
            entity_id=order.entity_id,
            again=(lambda: json.loads(payload)) if is_large else None,
            was_read=was_read,
        ),
        meta,
        logging.getLogger(block.module),
        is_cancelled=is_cancelled,
    )
