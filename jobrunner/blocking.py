"""Watches, with a thread of the child, whether the block holds up its event loop while its job runs."""

import asyncio
import contextlib
import logging
import os
import warnings
from collections.abc import Iterator
from typing import Final

from jobrunner.channel import Channel
from jobrunner.protocol.caps import LOG_CAP_CHARS, cut
from jobrunner.protocol.encodable import encodable
from jobrunner.protocol.messages import Blocking, Order
from sdk.block_registry import registry
from sdk.concurrency import BlockingDetector
from sdk.concurrency.detection import BlockingCode

_log = logging.getLogger(__name__)

_FILE_CAP_CHARS: Final = 4096
_RETRY_SECONDS: Final = 1.0
_REHEARSED_SECONDS: Final = 1.0
_FORK_WARNING: Final = (
    r"This process \(pid=\d+\) is multi-threaded, use of fork(pty)?\(\) may lead to deadlocks"
)


def rehearse_watch(channel: Channel, block_id: str) -> None:
    """Do everything that each job's watch needs, except for its thread: a template or a spare must not have one."""
    with warnings.catch_warnings():
        _ignore_warnings_of_forks()
    detector = _detector(channel, block_id, _REHEARSED_SECONDS)
    detector.rest()
    detector.go_on()
    detector.stop()


@contextlib.contextmanager
def watched_for_blocking(channel: Channel, order: Order) -> Iterator[BlockingDetector | None]:
    """Watch the calling thread in the `with` block, if the order says so. Each line is reported once to the supervisor.

    Yields the detector, or `None` if nothing is watched.

    The thread starts only now, because a template and a spare must have only one thread. If no more threads are
    available, the job runs without a watch; this is logged, and tried again every second.
    """
    if not order.blocking_seconds:
        yield None
        return
    detector = _detector(channel, order.block_id, order.blocking_seconds)
    _ignore_warnings_of_forks()
    start = _Start(detector, order.block_id)
    try:
        yield detector
    finally:
        start.give_up()
        detector.stop()


def _detector(channel: Channel, block_id: str, seconds: float) -> BlockingDetector:
    return BlockingDetector(
        seconds, _log, home=_home_of(block_id), report=lambda blocking: _tell(channel, blocking)
    )


def _ignore_warnings_of_forks() -> None:
    """Python 3.12 and newer warn of a fork in a process with threads. Our thread holds nothing that the fork needs. And
    a block that turns warnings into errors would fail for something that it has not done.
    """
    warnings.filterwarnings("ignore", message=_FORK_WARNING, category=DeprecationWarning)


class _Start:
    """Starts the detector, and tries again if no thread is available. By `call_later`, like `Ticker`."""

    def __init__(self, detector: BlockingDetector, block_id: str) -> None:
        self._detector = detector
        self._block_id = block_id
        self._again: asyncio.TimerHandle | None = None
        self._try()

    def _try(self) -> None:
        try:
            self._detector.start(self._block_id)
        except RuntimeError as error:
            if self._again is None:
                _log.warning(
                    "This job is not watched for code that blocks: %s. Tried again every second.", error
                )
            self._again = asyncio.get_running_loop().call_later(_RETRY_SECONDS, self._try)
        else:
            if self._again is not None:
                _log.warning("This job is watched for code that blocks from now on.")

    def give_up(self) -> None:
        """Stop trying."""
        if self._again is not None:
            self._again.cancel()


def _home_of(block_id: str) -> str | None:
    block = registry.function_blocks.get(block_id)
    return os.path.dirname(block.file) if block is not None else None


def _tell(channel: Channel, blocking: BlockingCode) -> bool:
    frame = Blocking(
        file=encodable(blocking.file)[:_FILE_CAP_CHARS],
        line=blocking.line,
        since=blocking.since,
        text=cut(encodable(blocking.text), LOG_CAP_CHARS),
    )
    try:
        return channel.send_if_room(frame)
    except OSError:  # the block has closed the channel, or the supervisor is gone; other code notices that
        return True
