"""`BlockingDetector` on its own: on this process's threads, with its logger."""

import asyncio
import ctypes
import functools
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import MagicMock

import pytest

from sdk.concurrency import BlockingDetector, detection
from sdk.concurrency.detection import BlockingCode
from sdk.concurrency.readings import Reading
from tests.patience import PATIENCE_SECONDS, wait_until

THRESHOLD = 0.1
SAMPLES = logging.getLogger("samples")


def in_a_loop(block: Callable[[], object]) -> None:
    """Call it in an event loop."""

    async def main() -> None:
        await asyncio.sleep(0)
        block()

    asyncio.run(main())


def watched(block: Callable[[], object], detector: BlockingDetector) -> None:
    """Call it in an event loop while the detector watches this thread."""
    detector.start("acme/show:1.0.0")
    try:
        in_a_loop(block)
    finally:
        detector.stop()


def timed_samples(monkeypatch: pytest.MonkeyPatch) -> tuple[BlockingDetector, list[float]]:
    """A detector, and when each of its samples was taken."""
    detector, samples = BlockingDetector(THRESHOLD, SAMPLES), list[float]()
    sample = detector._sample

    def sampled(*given: Any) -> Reading:
        samples.append(time.monotonic())
        return sample(*given)

    monkeypatch.setattr(detector, "_sample", sampled)
    return detector, samples


def threads() -> set[str]:
    """The numbers of this process's threads, as the kernel sees them."""
    return set(os.listdir("/proc/self/task"))


@pytest.fixture
def warned() -> Iterator[threading.Event]:
    """Set when the warning comes: on a busy machine the watching thread may get no processor for a second or longer."""
    event, handler = threading.Event(), logging.Handler()

    def look(record: logging.LogRecord) -> None:
        if "blocks its event loop" in record.getMessage():
            event.set()

    handler.emit = look  # type: ignore[method-assign]
    SAMPLES.addHandler(handler)
    yield event
    SAMPLES.removeHandler(handler)


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    before = threads()
    yield
    wait_until(lambda: threads() <= before, "no thread is left")


def test_a_warning_has_block_threshold_line_and_example_and_no_frame_but_the_author_s(
    caplog: pytest.LogCaptureFixture, warned: threading.Event
) -> None:
    watched(lambda: warned.wait(PATIENCE_SECONDS), BlockingDetector(THRESHOLD, SAMPLES))
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("samples", logging.WARNING)
    assert record.message.startswith(
        "acme/show:1.0.0 blocks its event loop: one piece of code has run for 0."
    )
    assert "The limit is 0.1 s." in record.message
    assert "watched(lambda: warned.wait(PATIENCE_SECONDS)" in record.message, "the source line"
    assert {line for line in record.message.splitlines() if line.startswith("  File")} == {
        line for line in record.message.splitlines() if f'"{__file__}"' in line
    }
    assert "@run_in_thread" in record.message
    assert "run_parallel(" in record.message
    # What stands below the event loop only waits for it.
    assert "in test_a_warning" not in record.message


def test_an_idle_loop_is_not_reported_whatever_stands_below_it(caplog: pytest.LogCaptureFixture) -> None:
    detector = BlockingDetector(0.05, SAMPLES)
    detector.start("acme/show:1.0.0")
    asyncio.run(asyncio.sleep(0.4))
    detector.stop()
    assert caplog.records == []


def test_zero_turns_it_off(caplog: pytest.LogCaptureFixture) -> None:
    before = threads()
    detector = BlockingDetector(0, SAMPLES)
    detector.start("acme/show:1.0.0")
    assert threads() <= before
    detector.stop()
    assert caplog.records == []


@pytest.mark.parametrize("sleep", [time.sleep, functools.partial(time.sleep)])
def test_a_c_function_that_the_loop_itself_calls_is_named(
    caplog: pytest.LogCaptureFixture, warned: threading.Event, sleep: Callable[[float], object]
) -> None:
    detector = BlockingDetector(THRESHOLD, SAMPLES)

    async def main() -> None:
        while not warned.is_set():
            asyncio.get_running_loop().call_soon(sleep, 4 * THRESHOLD)
            await asyncio.sleep(0)

    detector.start("acme/show:1.0.0")
    try:
        asyncio.run(main())
    finally:
        detector.stop()
    (record,) = caplog.records
    assert "  time.sleep, which the event loop itself calls" in record.message
    assert "@run_in_thread" in record.message


def test_a_report_that_could_not_be_made_is_made_again() -> None:
    reports: list[BlockingCode] = []
    made = threading.Event()

    def report(blocking: BlockingCode) -> bool:
        reports.append(blocking)
        if len(reports) == 3:
            made.set()
        return made.is_set()

    begun = time.monotonic()
    detector = BlockingDetector(THRESHOLD, SAMPLES, report=report)
    watched(lambda: made.wait(PATIENCE_SECONDS) and time.sleep(3 * THRESHOLD), detector)
    assert len(reports) == 3
    assert len({(each.file, each.line) for each in reports}) == 1
    assert all(begun <= each.since < time.monotonic() - each.seconds for each in reports)


def test_a_report_that_is_being_made_at_the_end_is_waited_for() -> None:
    begun, made = threading.Event(), threading.Event()

    def report(_: BlockingCode) -> bool:
        begun.set()
        time.sleep(0.8)  # as a thread takes that waits for a processor
        made.set()
        return True

    watched(lambda: begun.wait(PATIENCE_SECONDS), BlockingDetector(THRESHOLD, SAMPLES, report=report))
    assert made.is_set()


def test_code_that_holds_the_gil_is_reported_when_it_lets_go(caplog: pytest.LogCaptureFixture) -> None:
    # On a busy machine the watching thread may get no processor until the first one is over.
    for microseconds in (600_000, 3_000_000, 9_000_000):
        watched(lambda: ctypes.PyDLL(None).usleep(microseconds), BlockingDetector(THRESHOLD, SAMPLES))  # noqa: B023
        if caplog.records:
            break
    (record,) = caplog.records
    assert "usleep(microseconds)" in record.message
    assert "C code that holds the GIL" in record.message


def test_a_thread_that_holds_the_gil_is_not_laid_at_the_watched_thread_s_door(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def main() -> None:
        hog = asyncio.to_thread(ctypes.PyDLL(None).usleep, 500_000)
        waiting = asyncio.ensure_future(hog)
        while not waiting.done():
            await asyncio.sleep(0.001)

    detector = BlockingDetector(THRESHOLD, SAMPLES)
    detector.start("acme/show:1.0.0")
    asyncio.run(main())
    detector.stop()
    assert caplog.records == []


async def test_monitor_thread_watches_another_thread_until_it_has_ended(
    caplog: pytest.LogCaptureFixture, warned: threading.Event
) -> None:
    thread = threading.Thread(target=in_a_loop, args=(lambda: warned.wait(PATIENCE_SECONDS),))
    thread.start()
    assert thread.ident is not None
    async with asyncio.timeout(PATIENCE_SECONDS):
        await BlockingDetector(THRESHOLD, SAMPLES).monitor_thread(thread.ident, "job")
    thread.join()
    (record,) = caplog.records
    assert record.message.startswith("job blocks its event loop")


async def test_monitor_thread_ends_when_it_is_cancelled() -> None:
    detector = BlockingDetector(THRESHOLD, SAMPLES)
    task = asyncio.create_task(detector.monitor_thread(threading.get_ident(), "job"))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_a_sample_that_fails_is_told_once_and_the_next_ones_are_taken(
    caplog: pytest.LogCaptureFixture, warned: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusals = [MemoryError(), OSError(12, "Cannot allocate memory")]
    reading = detection.take_reading

    def take(native_id: int) -> Reading:
        if refusals:
            raise refusals.pop(0)
        return reading(native_id)

    monkeypatch.setattr(detection, "take_reading", take)
    watched(lambda: warned.wait(PATIENCE_SECONDS), BlockingDetector(THRESHOLD, SAMPLES))
    failed, blocks = caplog.messages
    assert "Samples for code that blocks are missing: MemoryError()" in failed
    assert "acme/show:1.0.0 blocks its event loop" in blocks


def test_it_takes_no_sample_while_it_rests_and_finds_what_blocks_afterwards(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    detector, samples = timed_samples(monkeypatch)
    found: list[BlockingCode] = []
    since = 0.0

    def rest_and_block() -> None:
        nonlocal since
        detector.rest()
        time.sleep(THRESHOLD)  # it may be in a sample
        before = len(samples)
        time.sleep(THRESHOLD * 3)
        assert len(samples) == before
        since = time.monotonic()
        detector.go_on()
        wait_until(lambda: len(samples) > before and found, "what blocks is found")

    def report(blocking: BlockingCode) -> bool:
        found.append(blocking)
        return True

    monkeypatch.setattr(detector, "_report", report)
    watched(rest_and_block, detector)
    assert found[0].since >= since


def test_one_that_rests_can_be_stopped() -> None:
    detector = BlockingDetector(THRESHOLD, SAMPLES)
    watched(detector.rest, detector)
    detector.go_on()


def test_one_that_is_stopped_when_a_sample_is_due_does_not_take_it(monkeypatch: pytest.MonkeyPatch) -> None:
    detector, samples = timed_samples(monkeypatch)
    asked, go_on, before = threading.Event(), threading.Event(), threads()

    def enter(*_: object) -> None:
        asked.set()
        go_on.wait(
            PATIENCE_SECONDS
        )  # as where the watching thread loses its processor before it has the lock

    lock = MagicMock(**{"__enter__.side_effect": enter, "acquire.return_value": False})
    monkeypatch.setattr(detector, "_sampling", lock)
    watched(lambda: asked.wait(PATIENCE_SECONDS), detector)
    go_on.set()
    wait_until(lambda: threads() <= before, "the watching thread has ended")
    assert samples == []


def test_one_that_was_stopped_takes_no_further_sample_and_may_watch_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    detector, samples = timed_samples(monkeypatch)
    watched(lambda: time.sleep(THRESHOLD), detector)
    stopped_at = time.monotonic()
    time.sleep(THRESHOLD)
    assert [at for at in samples if at > stopped_at] == []
    watched(lambda: wait_until(lambda: [at for at in samples if at > stopped_at], "a sample"), detector)
