"""The places where a text of a job leaves the worker: each takes a text, and returns what came out there."""

import asyncio
import logging
import os
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

from jobrunner.masking import mask_with
from jobrunner.protocol.caps import FIELD_CAP_CHARS, LOG_CAP_CHARS, LOGGER_CAP_CHARS
from jobrunner.protocol.masking import NO_TEXT, Mask
from jobrunner.protocol.messages import DeviceChange, Log
from sdk.boundary import log_with_traceback
from sdk.logger import block_logger
from sdk.masking import Masking, hiding, use_masking
from supervisor.job.evidence import ending_of
from supervisor.lifecycle.state import JobState
from supervisor.log.format import JsonLine, TextLine
from supervisor.process.long_work import LongWork
from supervisor.process.output import OutputReader
from supervisor.verdict import Ending, ExitStatus, KernelView, Limits, OutcomeSeen, decide
from supervisor.watch.fair_mask import FairMask
from supervisor.watch.joblog import JobLog
from tests.printing import take_in

Pieces = Sequence[str]
Place = Callable[[str, Pieces, Mask, str], str]
"""Takes the text, the same in pieces, the mask of the supervisor, and the secret as the child knows it."""

_LINES: Final = (TextLine(indent=False), TextLine(indent=True), JsonLine())


class Lines(logging.Handler):
    """Writes every record of a job as the daemon does, in each of its formats."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.written += (line.format(record) for line in _LINES)


@contextmanager
def job_lines() -> Iterator[list[str]]:
    handler, log = Lines(), logging.getLogger("job")
    level, propagate = log.level, log.propagate
    log.addHandler(handler)
    log.setLevel(1)
    log.propagate = False
    try:
        yield handler.written
    finally:
        log.removeHandler(handler)
        log.setLevel(level)
        log.propagate = propagate


def job_log(mask: Mask) -> JobLog:
    return JobLog("job-1", "tests/programs/fuzz:1.0.0", mask, "step")


def as_mask(text: str, _: Pieces, mask: Mask, __: str) -> str:
    return mask(text)


def as_record(text: str, _: Pieces, mask: Mask, __: str) -> str:
    with job_lines() as lines:
        beyond = max(0, len(text) - LOG_CAP_CHARS)
        log = Log(level=20, logger="block", text=text[:LOG_CAP_CHARS], created=0.0, cut_chars=beyond)
        asyncio.run(job_log(mask).record(log))
    return "\n".join(lines)


def as_field(text: str, _: Pieces, mask: Mask, __: str) -> str:
    with job_lines() as lines:
        fields = {"note": text[:FIELD_CAP_CHARS], "password": text[:3]}
        asyncio.run(
            job_log(mask).record(Log(level=20, logger="block", text="logged in", created=0.0, fields=fields))
        )
    return "\n".join(lines)


def as_logger(text: str, _: Pieces, mask: Mask, __: str) -> str:
    with job_lines() as lines:
        log = Log(level=20, logger=text[:LOGGER_CAP_CHARS], text="logged in", created=0.0)
        asyncio.run(job_log(mask).record(log))
    return "\n".join(lines)


def as_printed(text: str, pieces: Pieces, mask: Mask, __: str) -> str:
    """Through a pipe, in pieces that end anywhere, and into the last output of an abnormal end."""

    async def read() -> str:
        end, child_end = os.pipe()
        os.set_blocking(end, False)
        log = job_log(mask)
        reader = OutputReader(end, lambda line: log.printed("stdout", line), log, log.mask_cut)
        for piece in pieces:
            await take_in(reader, (end, child_end), piece.encode("utf-8", "backslashreplace"))
        os.close(child_end)
        reader.finish()
        os.close(end)
        return await log.end_of(reader.tail())

    with job_lines() as lines:
        last_output = asyncio.run(read())
    return "\n".join([*lines, last_output])


def as_failure(text: str, _: Pieces, __: Mask, secret: str) -> str:
    """As an exception in the child, before the supervisor sees anything of it."""
    mask_with(())
    records = Records()
    logger = logging.getLogger("tests.programs.redaction.failure")
    logger.propagate = False
    logger.addHandler(records)

    def fail() -> None:
        raise ValueError(text)

    try:
        fail()
    except ValueError as error:
        error.add_note(text)
        hide = hiding(frozenset({secret}))
        message = log_with_traceback(error, "tests/programs/fuzz:1.0.0", block_logger("x", logger), hide)
    finally:
        logger.removeHandler(records)
        use_masking(Masking())
    return "\n".join([message, *records.texts])


class Records(logging.Handler):
    """Keeps messages."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())


def as_evidence(text: str, pieces: Pieces, mask: Mask, secret: str) -> str:
    """In the stack, the kernel's view, the channel's problem and a changed device of a job that was killed."""
    crashed = JobState(Limits(60, 1), stack=text, exit_status=ExitStatus(signal_name="SIGSEGV"))
    broken = replace(crashed, channel_problem=text, stack="")
    returned = replace(broken, outcome=OutcomeSeen(success=False, message=mask(text)))
    view = KernelView(state="S", stack=mask(text))
    fair = FairMask(mask, LongWork())
    # Not checked as a frame is: what a frame refuses is masked as well.
    change = DeviceChange.model_construct(
        number=1, device=text, stage="changing", lines=1, timer_seconds=None
    )

    def end_of(state: JobState, dump: str, kernel: KernelView | None) -> Coroutine[Any, Any, Ending]:
        return ending_of(state, 1.0, fair, dump=dump, last_output=NO_TEXT, kernel=kernel, changes=[change])

    verdicts = [
        decide(asyncio.run(end_of(each, dump, kernel)))
        for each, dump, kernel in [
            (crashed, "", view),
            (broken, "", None),
            (returned, "", None),
            (broken, text, None),
        ]
    ]
    return "\n".join(f"{verdict.message}\n{verdict.warning}" for verdict in verdicts)


PLACES: Final[dict[str, Place]] = {
    "mask alone": as_mask,
    "log record": as_record,
    "field of a record": as_field,
    "name of a logger": as_logger,
    "printed": as_printed,
    "exception": as_failure,
    "evidence": as_evidence,
}
"""By name, for the report."""
