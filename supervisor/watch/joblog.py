"""The log of one job: what its block logs and prints, labelled, masked, and limited in rate."""

import logging
import time
from collections.abc import Mapping
from typing import Final, Protocol

from jobrunner.protocol.caps import FIELD_CAP_CHARS, LOGGER_CAP_CHARS, fields_chars
from jobrunner.protocol.masking import Effort, Masked, TextMask, TooMuchWorkError, end_of, not_shown
from jobrunner.protocol.messages import Log
from supervisor.log.event import Event, tell
from supervisor.log.events.jobs import JobLinesDropped, JobOutput
from supervisor.log.format import JOB_LOG
from supervisor.process.long_work import LongWork
from supervisor.watch.fair_mask import FairMask

_log = logging.getLogger(__name__)

_job_log = logging.getLogger("job")
"""For the job's own words. The logger's name tells the reader of the log that the job said them."""

LOGGERS: Final = (_job_log, _log)
"""Every line about a running job comes from one of these."""

LINES_A_SECOND: Final = 200
"""How much a job may log in the long run. Further lines are dropped and counted, and the log says so."""

_TELL_SECONDS: Final = 1.0

BURST_LINES: Final = 2000
"""How much it may log at once."""

_LAST_OUTPUT_CHARS: Final = 4096

_LINE_CHARS: Final = 1024
"""A longer line counts as several, because it takes as long to mask and to write."""

_LINE_UNITS: Final = 5_000
"""A line that takes more work to mask also counts as several: a job at its limit gets less than a tenth of the worker's
time."""


class LineHearer(Protocol):
    """Gets each line of a job that is passed on. All of it is masked."""

    def __call__(self, level: int, event: str, message: str, facts: Mapping[str, object]) -> None:
        """Take a line: its level as `logging` has it, its event's name, its text, and what else belongs to it."""
        ...


class JobLog:
    """Passes a job's lines on to the worker's log.

    A block that logs without end would otherwise cost the loop its time and the disk its space.
    """

    def __init__(
        self,
        job_id: str,
        block_id: str,
        mask: TextMask,
        step: str | None = None,
        long_work: LongWork | None = None,
        on_line: LineHearer | None = None,
    ) -> None:
        self.last_line = ""
        """The last line that was passed on, masked."""
        self.mask = mask
        self.long_work = long_work or LongWork()
        self.fair_mask = FairMask(mask, self.long_work)
        self._on_line = on_line
        self._facts = {"job": job_id, "block": block_id, **({"step": step} if step else {})}
        self._allowance = float(BURST_LINES)
        self._refilled_at = time.monotonic()
        self._dropped = 0
        self._told_at = 0.0
        self._units = 0
        """The work for masking printed lines that does not count yet."""

    async def record(self, log: Log, *, at_once: bool = False) -> None:
        """Pass on a log record of the block, whatever its level: the child has left out what is not wanted.

        `at_once`: without its text, if to mask it takes longer than a turn of the loop.
        """
        chars = len(log.text) + fields_chars(log.fields)
        if not self._may_pass(chars):
            return
        (text, logger, fields), units = await self.fair_mask.do(
            lambda effort: self._masked(log, effort), lambda: (not_shown(log.text), "", {}), at_once=at_once
        )
        self._charge(units, chars)
        if log.cut_chars:
            text += f" … [{log.cut_chars} more characters cut]"
        self.last_line = text
        extra = {"event": JOB_LOG, "facts": self._facts, "origin": logger, "fields": fields}
        _job_log.handle(
            _job_log.makeRecord(_job_log.name, log.level, "", 0, "%s", (text,), None, extra=extra)
        )
        if self._on_line is not None:
            facts: dict[str, object] = {"logger": logger}
            self._on_line(log.level, JOB_LOG, text, facts | {"fields": fields} if fields else facts)

    def _masked(self, log: Log, effort: Effort) -> tuple[str, str, dict[str, object]]:
        text: str = self.mask(log.text, cut_after=log.cut_chars > 0, effort=effort)
        # A block may name its loggers after an address, even one with a login.
        logger = self.mask(log.logger, cut_after=len(log.logger) >= LOGGER_CAP_CHARS, effort=effort)
        fields: dict[str, object] = {
            self.mask(name, effort=effort): self._value(name, value, effort)
            for name, value in log.fields.items()
        }
        return text, logger, fields

    def _value(self, name: str, value: object, effort: Effort) -> object:
        is_cut = isinstance(value, str) and len(value) >= FIELD_CAP_CHARS
        masked = self.mask.field(name, value, cut_after=is_cut, effort=effort)
        return f"{masked} …" if is_cut else masked

    async def end_of(self, output: str) -> Masked:
        """Return the end of the output, masked, as evidence of a job's end."""
        # More than is shown: the mask does not recognise half a secret at the edge.
        cut_before = len(output) > 2 * _LAST_OUTPUT_CHARS
        text = output[-2 * _LAST_OUTPUT_CHARS :]
        masked = await self.fair_mask.text(text, cut_before=cut_before, cut_after=not text.endswith("\n"))
        return end_of(masked, _LAST_OUTPUT_CHARS)

    def printed(self, stream: str, line: str) -> None:
        """Pass on a line that was printed to stdout or stderr."""
        if not self._may_pass(len(line)):
            return
        masked = self._masked_at_once(line, cut_after=False)
        units, self._units = self._units, 0
        self._charge(units, len(line))
        self.last_line = masked
        tell(_job_log, JobOutput(**self._facts, stream=stream, line=masked))
        if self._on_line is not None:
            self._on_line(logging.INFO, JobOutput.name, masked, {"stream": stream})

    def mask_cut(self, line: str) -> Masked:
        """Mask a line that has lost its end, right before it goes to `printed`. There this work counts, too."""
        return self._masked_at_once(line, cut_after=True)

    def _masked_at_once(self, line: str, *, cut_after: bool) -> Masked:
        effort = Effort()
        try:
            return self.mask(line, cut_after=cut_after, effort=effort)
        except TooMuchWorkError:
            return not_shown(line)
        finally:
            self._units += effort.used

    @property
    def is_open(self) -> bool:
        """Whether a line would be passed on now."""
        now = time.monotonic()
        self._allowance = min(BURST_LINES, self._allowance + (now - self._refilled_at) * LINES_A_SECOND)
        self._refilled_at = now
        return self._allowance >= 1

    def skip(self, lines: int) -> None:
        """Count lines that are dropped unseen."""
        self._dropped += lines

    def _may_pass(self, chars: int) -> bool:
        if not self.is_open:
            self._dropped += 1
            return False
        self._allowance -= max(1.0, chars / _LINE_CHARS)
        # At most once a second: in a flood every two-hundredth of a second another line may pass.
        if self._refilled_at >= self._told_at + _TELL_SECONDS:
            self._tell_dropped()
        return True

    def _charge(self, units: int, chars: int) -> None:
        """Subtract the work for a passed line from what the job may log, as far as it is more than was counted."""
        self._allowance -= max(0.0, units / _LINE_UNITS - max(1.0, chars / _LINE_CHARS))

    def _tell_dropped(self) -> None:
        if self._dropped:
            dropped, self._dropped = self._dropped, 0
            self._told_at = time.monotonic()
            self.tell(JobLinesDropped, lines=dropped, lines_a_second=LINES_A_SECOND)

    def tell(self, event: type[Event], **facts: str | float) -> None:
        """Log an event of the worker's own about this job. No rate limits it. Its texts are masked.

        `facts`: all that the event has besides the job, the block and the step.
        """
        masked = {name: self.mask(fact) if isinstance(fact, str) else fact for name, fact in facts.items()}
        told = event(**self._facts, **masked)
        tell(_log, told)
        if self._on_line is not None:
            self._on_line(told.level, told.name, told.message, masked)

    def close(self) -> None:
        """Log how many lines were dropped last."""
        self._tell_dropped()
