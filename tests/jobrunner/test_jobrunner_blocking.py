"""The watch for code that blocks, in real children: what the campaign (`tests/programs/blocking`) does not look at."""

import _thread
import asyncio
import errno
import json
import socket
import warnings
from types import SimpleNamespace
from typing import Any

import pytest
from hosting import TAKES_ITS_STACK, Host, told

from jobrunner.blocking import _Start, _tell, watched_for_blocking
from jobrunner.channel import Channel
from jobrunner.protocol.messages import Blocking, Order
from sdk.concurrency.detection import BlockingCode
from supervisor.log.events.jobs import LoopBlocked
from tests.patience import PATIENCE_SECONDS, until
from tests.simulated_time import elapsed, simulate

LIMITS: dict[str, Any] = {"blocking_seconds": 0.2, "max_job_seconds": 20.0, "grace_seconds": 0.0}

# Of a processor. A thread that waits for the GIL is known by how often it wakes up, which it can't do without one.
LEAST_SHARE = 0.5


def warned(done: dict[str, Any]) -> list[str]:
    return [event["explanation"] for event in told(done, LoopBlocked)]


def test_code_that_holds_the_gil_and_does_not_let_go_is_told_while_it_lasts(host: Host) -> None:
    limits = LIMITS | {"max_job_seconds": 3.0}
    done = host.run("gil_hog", {"mode": "power"}, limits=limits, do=TAKES_ITS_STACK)
    assert done["cause"] == "time_limit"
    share = done["cpu_seconds"] / done["elapsed"]
    if share < LEAST_SHARE and not warned(done):
        pytest.skip(f"this job got {share:.0%} of a processor: too little to be seen holding the GIL")
    (warning,) = warned(done)
    assert "neops_testing/gil_hog:1.0.0 blocks its event loop: C code has held the GIL for" in warning
    frames = [line for line in warning.splitlines() if line.startswith("  File")]
    assert frames
    assert all("hangs.py" in line for line in frames)
    assert "run_in_thread" in warning


def test_a_job_that_is_killed_was_warned_of_before(host: Host) -> None:
    done = host.run("hang_sleep", limits=LIMITS | {"max_job_seconds": 1.5})
    assert done["cause"] == "time_limit"
    (warning,) = warned(done)
    assert "hangs.py" in warning
    assert "time.sleep" in warning, "the source line"


def test_without_a_threshold_there_is_no_warning(host: Host) -> None:
    off = LIMITS | {"blocking_seconds": 0.0}
    assert warned(host.run("under_test/stalls", {"seconds": 0.8}, limits=off)) == []


def test_a_look_for_blocking_code_shortens_no_sleep_that_lets_the_gil_go(host: Host) -> None:
    done = host.run("under_test/stalls", {"seconds": 1.2}, limits=LIMITS)
    assert len(warned(done)) == 1
    assert json.loads(done["body"])["data"]["value"]["took"][0] >= 1.2


def test_a_look_for_blocking_code_wakes_no_system_call_that_keeps_the_gil(host: Host) -> None:
    done = host.run("gil_hog", {"mode": "sleep", "seconds": 1.5}, limits=LIMITS)
    assert done["cause"] == "completed"
    assert done["seconds"] >= 1.5
    (warning,) = warned(done)
    assert "hangs.py" in warning, "told by the child, when it has the GIL again"


def order(**given: Any) -> Order:
    """An order that is watched."""
    fields: dict[str, Any] = {
        "job_id": "1",
        "block_id": "acme/show:1.0.0",
        "job_type": "execute",
        "run_on": "global",
        "job_directory": "/",
        "log_level": 20,
        "result_cap_bytes": 1000,
        "blocking_seconds": 0.5,
    }
    return Order(**fields | given)


@pytest.fixture
def channel() -> Any:
    near, far = socket.socketpair()
    with far:
        channel = Channel(near.detach())
        yield channel
        channel._socket.close()


def test_a_fork_in_a_watched_job_is_not_warned_of_and_other_things_are(channel: Channel) -> None:
    """Python 3.12 and newer warn of a fork beside threads; this one is ours, not the block's."""
    text = "This process (pid=7) is multi-threaded, use of {}() may lead to deadlocks in the child."
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with watched_for_blocking(channel, order()):
            for call in ("fork", "forkpty"):
                warnings.warn(text.format(call), DeprecationWarning, stacklevel=1)
            with pytest.raises(DeprecationWarning, match="other"):
                warnings.warn("other", DeprecationWarning, stacklevel=1)


def test_a_warning_is_no_longer_than_a_frame_may_be_however_long_its_path_and_its_text_are() -> None:
    sent: list[Blocking] = []
    channel: Any = SimpleNamespace(send_if_room=lambda frame: sent.append(frame) or True)
    name, text = "/" + "p" * 5000, "t" * 200_000
    assert _tell(channel, BlockingCode(file=name, line=3, since=1.0, seconds=2.0, text=text))
    assert name.startswith(sent[0].file)
    assert text[:1000] in sent[0].text


def test_a_job_that_may_have_no_further_thread_runs_all_the_same(
    channel: Channel, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("_thread.start_new_thread", refuse)

    async def job() -> None:
        with watched_for_blocking(channel, order()):
            pass

    asyncio.run(job())
    assert "This job is not watched for code that blocks: can't start new thread" in caplog.text


async def test_a_job_that_can_have_a_thread_later_is_watched_from_then_on(
    channel: Channel, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("jobrunner.blocking._RETRY_SECONDS", 0.01)
    refusals = [RuntimeError("can't start new thread")] * 3
    start, started = _thread.start_new_thread, asyncio.Event()

    def start_later(*arguments: Any) -> int:
        if refusals:
            raise refusals.pop()
        started.set()
        return start(*arguments)

    monkeypatch.setattr("_thread.start_new_thread", start_later)
    with watched_for_blocking(channel, order()):
        await asyncio.wait_for(started.wait(), PATIENCE_SECONDS)
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == [
        "This job is not watched for code that blocks",
        "This job is watched for code that blocks from now on.",
    ]


async def test_the_thread_that_watches_a_job_ends_with_it(
    channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = _thread.start_new_thread
    threads: list[str] = []

    def note(function: Any, arguments: tuple[Any, ...]) -> int:
        def run() -> None:
            threads.append("began")
            function(*arguments)
            threads.append("ended")

        return start(run, ())

    monkeypatch.setattr("_thread.start_new_thread", note)
    with watched_for_blocking(channel, order(blocking_seconds=0.05)):
        await until(lambda: threads == ["began"], "it watches")
    await until(lambda: threads == ["began", "ended"], "it has ended")


def test_a_job_that_has_ended_is_not_watched_any_more() -> None:
    """The next try would start a thread that nobody stops."""
    tries: list[float] = []

    class Detector:
        def start(self, _: str) -> None:
            tries.append(elapsed())
            raise RuntimeError("can't start new thread")

    async def job() -> None:
        start = _Start(Detector(), "lab/x:1.0.0")
        await asyncio.sleep(2.5)
        start.give_up()
        await asyncio.sleep(10)

    simulate(job())
    assert tries == [0.0, 1.0, 2.0]


def test_of_code_that_blocks_as_much_is_told_as_a_frame_may_hold() -> None:
    sent: list[Blocking] = []
    channel: Any = SimpleNamespace(send_if_room=lambda frame: sent.append(frame) or True)
    assert _tell(channel, BlockingCode(file="p" * 4097, line=3, since=1.0, seconds=2.0, text="t"))
    assert (len(sent[0].file), sent[0].line, sent[0].since, sent[0].text) == (4096, 3, 1.0, "t")


def test_a_channel_that_is_gone_has_been_told_all() -> None:
    """Else it would be told again and again."""

    def gone(_: Blocking) -> bool:
        raise OSError(errno.EBADF, "closed")

    channel: Any = SimpleNamespace(send_if_room=gone)
    assert _tell(channel, BlockingCode(file="f", line=3, since=1.0, seconds=2.0, text="t"))
