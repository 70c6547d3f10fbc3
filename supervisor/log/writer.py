"""The thread that writes the log: code that logs never waits for the reader of the log."""

import logging
import os
import queue
import select
import threading
from typing import Final

from supervisor.log.event import record_fields
from supervisor.log.events.surroundings import LogLinesDropped

MOST_RECORDS: Final = 10_000
MOST_CHARS: Final = 8 * 2**20
"""The most that may wait for a reader, by number and by length of the messages. The rest is dropped and counted."""

STOP_SECONDS: Final = 2.0
_LOOK_MILLISECONDS: Final = 1000


class LogWriter(logging.Handler):
    """Takes records, and writes them to a descriptor in the order in which they came.

    A pipe that nobody reads, or a stopped terminal (Ctrl-S), holds up only the thread. The records that wait meanwhile
    are limited. Further ones are dropped, and the log says how many as soon as it can. A line that can't be written
    (EPIPE, EIO of a closed terminal, ENOSPC) is lost and counted in the same way.
    """

    def __init__(
        self,
        descriptor: int,
        formatter: logging.Formatter,
        *,
        most_records: int = MOST_RECORDS,
        most_chars: int = MOST_CHARS,
    ) -> None:
        super().__init__()
        self.setFormatter(formatter)
        self._descriptor = descriptor
        self._most_records = most_records
        self._most_chars = most_chars
        self._waiting: queue.SimpleQueue[tuple[logging.LogRecord, int, int] | None] = queue.SimpleQueue()
        # Only one side changes each of these: the loggers' side (under the handler's lock) what was given, the thread
        # what was taken. So they need no lock of their own.
        self._given_records = self._given_chars = self._dropped = 0
        self._taken_records = self._taken_chars = self._told = self._failed = 0
        self._thread = threading.Thread(target=self._write_all, name="log", daemon=True)

    def start(self) -> None:
        """Begin to write. Raises `RuntimeError` if the thread can't be started."""
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Take a record, or drop it."""
        try:
            # At once: the arguments may change before the thread gets to them.
            record.msg = record.getMessage()
        except Exception:  # a library's text does not fit its arguments
            record.msg = str(record.msg)
        record.args = None
        chars = len(record.msg)
        records_behind = self._given_records - self._taken_records
        chars_behind = self._given_chars - self._taken_chars
        if records_behind >= self._most_records or (
            records_behind and chars_behind + chars > self._most_chars
        ):
            self._dropped += 1
            return
        self._given_records += 1
        self._given_chars += chars
        self._waiting.put((record, chars, self._dropped))

    def stop(self, timeout_seconds: float = STOP_SECONDS) -> bool:
        """Write what waits, and end. Returns whether it could do that in this time: perhaps nobody reads."""
        self._waiting.put(None)
        self._thread.join(timeout_seconds)
        return not self._thread.is_alive()

    def _write_all(self) -> None:
        while True:
            try:
                item = self._waiting.get_nowait()
            except queue.Empty:
                self._tell_what_is_missing(self._dropped)
                item = self._waiting.get()
            if item is None:
                self._tell_what_is_missing(self._dropped)
                return
            record, chars, dropped_before = item
            self._tell_what_is_missing(dropped_before)
            self._failed += not self._write(record)
            self._taken_records += 1
            self._taken_chars += chars

    def _tell_what_is_missing(self, dropped: int) -> None:
        missing = dropped - self._told + self._failed
        if missing <= 0:
            return
        event = LogLinesDropped(dropped_lines=missing)
        place = (__name__, event.level, __file__, 0)
        record = logging.getLogger(__name__).makeRecord(
            *place, event.message, (), None, extra=record_fields(event)
        )
        if self._write(record):
            self._told, self._failed = dropped, 0

    def _write(self, record: logging.LogRecord) -> bool:
        """Write a line. Returns whether it could."""
        try:
            data = f"{self.format(record)}\n".encode(errors="backslashreplace")
            while data:
                try:
                    # Not `sys.stderr`: a thread that hangs would hold its lock to the end of the process.
                    data = data[os.write(self._descriptor, data) :]
                except BlockingIOError:  # another user of this descriptor has made it non-blocking
                    poll = select.poll()
                    poll.register(self._descriptor, select.POLLOUT)
                    poll.poll(_LOOK_MILLISECONDS)
        except Exception:  # the disk is full, the terminal is gone, or a record can't be formatted
            return False
        return True
