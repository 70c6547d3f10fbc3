"""Records as frames: what travels of them, what is cut and left out, and that no call of a log fails the block."""

import logging
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from jobrunner import logs as logs_module
from jobrunner.log_fields import fields_of
from jobrunner.logs import FrameHandler, capture_logs, import_logs
from jobrunner.protocol.caps import FIELD_CAP_CHARS, FIELDS_CAP, LOG_CAP_CHARS
from jobrunner.protocol.encodable import encodable
from jobrunner.protocol.messages import Log, Order
from jobrunner.uncaught import tell_uncaught_in_threads


class Kept:
    """A channel that keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[Log] = []
        self.is_mine = True
        self.gone = False

    def send(self, message: Log) -> None:
        if self.gone:
            raise BrokenPipeError
        self.sent.append(message)


@pytest.fixture
def channel() -> Kept:
    return Kept()


@pytest.fixture
def logger(channel: Kept) -> logging.Logger:
    """A logger, below no other, whose records become frames."""
    logger = logging.Logger("frames.of.a.test", level=1)
    logger.addHandler(FrameHandler(channel, {"job": "1"}))
    return logger


def test_a_record_is_one_frame_with_its_level_its_logger_and_its_fields(
    channel: Kept, logger: logging.Logger
) -> None:
    logger.log(33, "text of %s", "it", extra={"host": "r1"})
    (frame,) = channel.sent
    assert (frame.level, frame.logger, frame.text, frame.cut_chars) == (
        33,
        "frames.of.a.test",
        "text of it",
        0,
    )
    assert frame.fields == {"host": "r1"}
    assert frame.created > 1e9


@pytest.mark.parametrize(("level", "sent"), [(0, 0), (1, 1), (1000, 1000), (5000, 1000)])
def test_any_level_travels_within_what_a_frame_may_hold(
    channel: Kept, logger: logging.Logger, level: int, sent: int
) -> None:
    logger.handle(record(name="lib", levelno=level))
    assert channel.sent[0].level == sent


def test_a_record_that_was_made_without_the_name_of_a_logger_travels_too(
    channel: Kept, logger: logging.Logger
) -> None:
    logger.handle(record(levelno=logging.INFO))
    assert [(frame.logger, frame.text) for frame in channel.sent] == [("None", "text")]


def test_a_long_text_is_cut_and_says_by_how_much(channel: Kept, logger: logging.Logger) -> None:
    logger.warning("x" * LOG_CAP_CHARS)
    logger.warning("x" * (LOG_CAP_CHARS + 3))
    assert [(len(frame.text), frame.cut_chars) for frame in channel.sent] == [
        (LOG_CAP_CHARS, 0),
        (LOG_CAP_CHARS, 3),
    ]


def test_half_a_surrogate_pair_travels_as_print_shows_it(channel: Kept, logger: logging.Logger) -> None:
    logger.warning("a file \udcff")
    assert channel.sent[0].text == "a file \\udcff"
    assert encodable("plain ✓") == "plain ✓"


def test_a_wrong_call_is_told_with_its_line_as_an_error_at_least(
    channel: Kept, logger: logging.Logger
) -> None:
    logger.info("two %s %s", "one")
    logger.critical("two %s %s", "one")
    first, second = channel.sent
    assert (first.level, second.level) == (logging.ERROR, logging.CRITICAL)
    assert "A call to the log is wrong, and its message is lost: TypeError" in first.text
    assert 'logger.info("two %s %s", "one")' in first.text
    assert first.fields == {}


def test_fields_that_can_not_be_shown_are_a_wrong_call_too(channel: Kept, logger: logging.Logger) -> None:
    class Unshown:
        def __str__(self) -> str:
            raise ValueError("not to be shown")

    logger.warning("text", extra={"host": Unshown()})
    assert "ValueError: not to be shown" in channel.sent[0].text


def test_a_supervisor_that_is_gone_is_no_error_of_the_block_s(channel: Kept, logger: logging.Logger) -> None:
    channel.gone = True
    logger.warning("text")
    logger.info("two %s %s", "one")
    assert channel.sent == []


def record(**given: Any) -> logging.LogRecord:
    made = logging.makeLogRecord({"msg": "text"})
    vars(made).update(given)
    return made


def test_plain_values_travel_as_they_are_and_others_as_text() -> None:
    given = {
        "flag": True,
        "none": None,
        "number": -(2**53),
        "large": 2**53 + 1,
        "share": 0.5,
        "endless": float("inf"),
        "list": [1, "a"],
    }
    assert fields_of(record(**given), {}) == given | {
        "large": "9007199254740993",
        "endless": "inf",
        "list": "[1, 'a']",
    }


def test_a_context_s_fields_are_fields_and_those_of_the_call_come_first() -> None:
    assert fields_of(record(context={"a": 1, "b": 2}, b=3), {}) == {"a": 1, "b": 3}
    assert fields_of(record(context="plain"), {}) == {"context": "plain"}
    assert fields_of(record(context=None), {}) == {}


def test_what_is_known_of_the_whole_job_is_not_told_again_but_what_differs_is() -> None:
    assert fields_of(record(job="1", block="other"), {"job": "1", "block": "b"}) == {"block": "other"}


def test_names_values_and_all_together_have_a_bound() -> None:
    assert list(fields_of(record(**{"n" * 150: 1}), {})) == ["n" * 100]
    assert fields_of(record(long="x" * 2000), {}) == {"long": "x" * FIELD_CAP_CHARS}
    many = {f"f{number:03d}": 1 for number in range(FIELDS_CAP + 5)}
    assert len(fields_of(record(**many), {})) == FIELDS_CAP
    # Three of these with their names are above 3000 characters.
    assert list(fields_of(record(a="x" * 1000, b="x" * 1000, c="x" * 1000, d=1), {})) == ["a", "b"]
    assert list(fields_of(record(a="x" * 999, b="x" * 999, c="x" * 999), {})) == ["a", "b", "c"]


def test_logs_of_imports_go_over_the_channel_for_as_long_as_imports_last(channel: Kept) -> None:
    root = logging.getLogger()
    before = list(root.handlers)

    def fail() -> None:
        logging.getLogger("lib").error("while it is imported")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), import_logs(channel):
        fail()
    assert root.handlers == before
    assert [frame.text for frame in channel.sent] == ["while it is imported"]


@pytest.fixture
def logging_as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Gives back what `capture_logs` changes."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    levels = {name: logging.getLogger(name).level for name in ("noisy", "blocks_1.noisy")}
    monkeypatch.setattr(logging, "raiseExceptions", False)
    monkeypatch.setattr(threading, "excepthook", threading.__excepthook__)
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)


@pytest.mark.usefixtures("logging_as_before")
def test_the_channel_becomes_the_only_place_of_logs_with_the_levels_of_the_order(
    channel: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs_module, "private_packages", lambda: ("blocks_1",))
    order = Order(
        job_id="j",
        block_id="b",
        job_type="execute",
        run_on="global",
        step_label="s",
        job_directory="/tmp",
        log_level=logging.WARNING,
        log_levels={"noisy": logging.ERROR},
        result_cap_bytes=1,
    )
    logging.getLogger().addHandler(logging.NullHandler())
    capture_logs(channel, order)
    root = logging.getLogger()
    assert [type(handler) for handler in root.handlers] == [FrameHandler]
    logging.getLogger("quiet").info("below the level")
    for name in ("noisy", "blocks_1.noisy"):
        logging.getLogger(name).warning("below its level")
    root.warning("seen", extra={"job": "j", "block": "b", "step": "s", "host": "r1"})
    assert [(frame.text, frame.fields) for frame in channel.sent] == [("seen", {"host": "r1"})]
    assert logging.raiseExceptions
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("a warning of the block", stacklevel=1)
    assert "a warning of the block" in channel.sent[-1].text


def fail_in_thread(error: BaseException) -> None:
    def run() -> None:
        raise error

    thread = threading.Thread(target=run, name="of-the-block")
    thread.start()
    thread.join(50)


@pytest.mark.usefixtures("logging_as_before")
def test_an_exception_that_ends_a_thread_is_one_event_and_an_exit_is_none(
    channel: Kept, caplog: pytest.LogCaptureFixture
) -> None:
    tell_uncaught_in_threads(channel)
    fail_in_thread(ValueError("the device hung up"))
    fail_in_thread(SystemExit(3))
    (told,) = caplog.records
    assert (told.name, told.levelno) == ("block", logging.ERROR)
    assert "The thread of-the-block ended by an exception that nothing caught" in told.getMessage()
    assert "the device hung up" in told.getMessage()
    assert "threading.py" not in told.getMessage()


@pytest.mark.usefixtures("logging_as_before")
def test_an_author_s_own_hook_stays_and_a_fork_prints_as_ever(
    channel: Kept, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    printed: list[object] = []
    monkeypatch.setattr(threading, "__excepthook__", printed.append)
    monkeypatch.setattr(threading, "excepthook", threading.__excepthook__)
    tell_uncaught_in_threads(channel)
    channel.is_mine = False
    fail_in_thread(ValueError("in a fork"))
    assert (len(printed), caplog.records) == (1, [])

    def authors(args: object) -> None:
        printed.append(args)

    monkeypatch.setattr(threading, "excepthook", authors)
    tell_uncaught_in_threads(channel)
    assert threading.excepthook is authors
