"""The log's writer in front of a reader that stops, goes away, or sits on a full disk: nobody who logs waits for it."""

import contextlib
import fcntl
import logging
import os
import select
import struct
import sys
import termios
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from supervisor.log.format import PrefixedLine, TextLine
from supervisor.log.setup import start_logging
from supervisor.log.writer import LogWriter
from tests.patience import PATIENCE_SECONDS, wait_until

PIPE_BYTES = 4096


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    yield reading, writing
    for descriptor in (reading, writing):
        with contextlib.suppress(OSError):  # the test has closed it
            os.close(descriptor)


def writer_to(descriptor: int, **bounds: int) -> LogWriter:
    writer = LogWriter(descriptor, logging.Formatter("%(message)s"), **bounds)
    writer.start()
    return writer


def record(text: str, *arguments: object, level: int = logging.INFO) -> logging.LogRecord:
    return logging.LogRecord("a", level, "", 0, text, arguments, None)


def read_all(descriptor: int, ended: Callable[[str], bool]) -> str:
    text = ""
    while not ended(text):
        assert select.select([descriptor], [], [], PATIENCE_SECONDS)[0], f"only this came: {text[-500:]!r}"
        text += os.read(descriptor, 65536).decode()
    return text


def fill_the_pipe(pipe: tuple[int, int], writer: LogWriter) -> None:
    """Log more than the pipe takes, and wait until the thread waits in the kernel with a line in its hand."""
    for _ in range(3 * PIPE_BYTES // 1000):
        writer.handle(record("x" * 1000))
    wait_until(lambda: bytes_in(pipe[0]) > PIPE_BYTES - 1000)


def bytes_in(descriptor: int) -> int:
    return struct.unpack("i", fcntl.ioctl(descriptor, termios.FIONREAD, b"\0" * 4))[0]


def test_lines_that_no_reader_takes_are_dropped_and_counted_where_they_are_missing(
    pipe: tuple[int, int],
) -> None:
    reading, writing = pipe
    writer = writer_to(writing, most_records=100)
    fill_the_pipe(pipe, writer)
    for number in range(1000):
        writer.handle(record("line %d", number))
    assert writer._given_records - writer._taken_records <= 100
    text = read_all(reading, lambda text: "are missing" in text)
    kept = [line for line in text.splitlines() if line.startswith("line")]
    assert kept == [f"line {number}" for number in range(len(kept))], "the oldest are kept, in their order"
    assert f"{1000 - len(kept)} line(s) of this log are missing" in text
    writer.handle(record("after it"))
    assert "after it" in read_all(reading, lambda text: "after it" in text)
    assert writer.stop(PATIENCE_SECONDS)


def test_long_lines_are_bounded_by_their_length_and_not_only_by_their_number(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    writer = writer_to(writing, most_chars=50_000)
    fill_the_pipe(pipe, writer)
    for _ in range(100):
        writer.handle(record("y" * 10_000))
    assert writer._given_chars - writer._taken_chars <= 51_000
    assert "are missing" in read_all(reading, lambda text: "are missing" in text)
    assert writer.stop(PATIENCE_SECONDS)


def test_the_end_waits_for_a_reader_that_stopped_only_so_long(pipe: tuple[int, int]) -> None:
    writer = writer_to(pipe[1])
    fill_the_pipe(pipe, writer)
    stopping = threading.Thread(target=lambda: ended.append(writer.stop(0.05)), daemon=True)
    ended: list[bool] = []
    stopping.start()
    stopping.join(PATIENCE_SECONDS)
    assert ended == [False]
    # Else the thread would write into whatever has the number of this descriptor next.
    os.close(pipe[0])
    assert writer.stop(PATIENCE_SECONDS)


def test_a_disk_that_takes_nothing_ends_nothing_and_what_is_missing_is_told_later(
    pipe: tuple[int, int], tmp_path: Path
) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    writer = writer_to(full)
    try:
        for number in range(3):
            writer.handle(record("lost %d", number))
        wait_until(lambda: writer._taken_records == 3)
        os.dup2(pipe[1], full)
        writer.handle(record("found"))
        text = read_all(pipe[0], lambda text: "found" in text)
        assert text == "3 line(s) of this log are missing: nobody took them in time.\nfound\n"
        assert writer.stop(PATIENCE_SECONDS)
    finally:
        os.close(full)


def test_a_reader_that_is_gone_ends_nothing(pipe: tuple[int, int]) -> None:
    writer = writer_to(pipe[1])
    os.close(pipe[0])
    for _ in range(3):
        writer.handle(record("nobody reads this"))
    assert writer.stop(PATIENCE_SECONDS)


def test_a_text_that_does_not_fit_its_arguments_is_logged_as_it_is(pipe: tuple[int, int]) -> None:
    writer = writer_to(pipe[1])
    writer.handle(record("%d of %d", 1))
    assert writer.stop(PATIENCE_SECONDS)
    assert read_all(pipe[0], lambda text: "\n" in text) == "%d of %d\n"


def test_journald_is_told_how_severe_each_line_is(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    status = os.fstat(sys.stderr.fileno())
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    said = {}
    for stream in (f"{status.st_dev}:{status.st_ino}", "1:1"):
        monkeypatch.setenv("JOURNAL_STREAM", stream)
        try:
            writer = start_logging(logging.DEBUG)
            for severity in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL):
                logging.getLogger("a").log(severity, "said")
            assert writer.stop(PATIENCE_SECONDS)
        finally:
            root.handlers[:] = handlers
            root.setLevel(level)
        said[stream] = [line[:3] for line in capfd.readouterr().err.splitlines()]
    journald, other = said.values()
    assert journald == ["<7>", "<6>", "<4>", "<3>", "<2>"]
    assert not any(start.startswith("<") for start in other)


def test_each_line_of_an_event_of_many_lines_has_its_priority() -> None:
    shown = PrefixedLine(TextLine(indent=True)).format(record("one\ntwo", level=logging.ERROR))
    assert [line[:3] for line in shown.splitlines()] == ["<3>", "<3>"]
