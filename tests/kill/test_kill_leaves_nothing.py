"""When worker or keeper is killed, nothing stays alive (I4): four busy children and what they started.

A second is enough on a machine that has time for its processes, and each test prints how long it took. It judges only
that all of them end: each would live for minutes, and beside other work the kernel may let a killed process wait.
"""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from hosting import ROOT, alive_with

from sdk.devengine import DevEngine, EngineOptions
from tests.patience import until

BOUND_SECONDS = 30.0
DESCENDANTS = 9  # three each of three blocks
BUSY = {
    "ignore_sigterm_tree": {"marker": "{marker}"},
    "leaves_and_spins": {"marker": "{marker}"},
    "leaves_and_hogs": {"marker": "{marker}"},
    "spin": {},
}
BLOCKS = Path(__file__).with_name("busy_blocks.py")


@dataclass(slots=True)
class Worker:
    """A daemon with four busy jobs."""

    process: asyncio.subprocess.Process
    marker: str
    keeper: psutil.Process
    supervisor: psutil.Process
    everything: list[psutil.Process]

    def alive(self) -> list[str]:
        """What is left of the worker and of all its jobs have started."""
        # `str` of one that has ended meanwhile says so; `name()` would raise.
        left = [str(item) for item in self.everything if is_running(item)]
        return left + alive_with(self.marker)

    async def wait_until_nothing_is_alive(self) -> None:
        begun = time.monotonic()
        while left := self.alive():
            assert time.monotonic() < begun + BOUND_SECONDS, f"still alive after {BOUND_SECONDS} s: {left}"
            await asyncio.sleep(0.01)
        print(f"all had ended after {time.monotonic() - begun:.3f} s")


def is_running(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@contextlib.contextmanager
def signals_as_at_a_terminal() -> Iterator[None]:
    """Start no process that ignores SIGINT and SIGQUIT, as all do that a shell has started in the background."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGQUIT)}
    try:
        for number, handler in before.items():
            if handler == signal.SIG_IGN:
                signal.signal(number, signal.SIG_DFL)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@pytest.fixture
async def worker(tmp_path: Path) -> AsyncIterator[Worker]:
    """`python -m supervisor` against an engine, with all four slots taken by jobs that do not want to end."""
    marker = f"kill-{os.getpid()}-{tmp_path.name}"
    async with DevEngine(EngineOptions(without_token=True, database=":memory:")) as engine:
        with signals_as_at_a_terminal():
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "supervisor", "--engine-url", engine.url),
                *("--function-blocks", f"blocks.testing,{BLOCKS}", "--max-concurrent-jobs", "4"),
                *("--state-dir", str(tmp_path / "state"), "--log-level", "warning"),
                cwd=ROOT,
                env=os.environ | {"PYTHONPATH": str(ROOT)},
                start_new_session=True,
            )
        try:
            await until(lambda: len(engine.registrations()) > 30)
            for name, parameters in BUSY.items():
                given = {key: value.format(marker=marker) for key, value in parameters.items()}
                engine.submit(block=f"neops_testing/{name}:1.0.0", parameters=given)
            await until(lambda: len(alive_with(marker)) == DESCENDANTS)
            keeper = psutil.Process(process.pid)
            (supervisor,) = keeper.children()
            everything: list[psutil.Process] = []

            def all_there() -> bool:
                everything[:] = [keeper, *keeper.children(recursive=True)]
                return len(everything) >= DESCENDANTS + 7  # keeper, supervisor, template, four jobs

            await until(all_there)
            yield Worker(process, marker, keeper, supervisor, everything)
        finally:
            for line in alive_with(marker):
                os.kill(int(line.partition(":")[0]), signal.SIGKILL)
            if process.returncode is None:
                process.kill()
            await process.wait()


async def test_nothing_stays_alive_after_kill_9_of_the_supervisor(worker: Worker) -> None:
    """Supervisor/supervisor#1101: children survive the death of what supervises them."""
    worker.supervisor.kill()
    await worker.wait_until_nothing_is_alive()
    assert await worker.process.wait() == 128 + signal.SIGKILL


async def test_nothing_stays_alive_after_kill_9_of_the_process_that_was_started(worker: Worker) -> None:
    worker.process.kill()
    await worker.wait_until_nothing_is_alive()


async def test_nothing_stays_alive_after_the_third_request_to_stop(worker: Worker) -> None:
    """The first drains and the second kills the jobs; the third comes before the second is done."""
    worker.supervisor.suspend()
    for number in (signal.SIGTERM, signal.SIGINT):
        worker.supervisor.send_signal(number)
    worker.supervisor.resume()

    def sent_again_until_it_has_ended() -> bool:
        # Two of the same kind count once while neither is taken: again and again, while the jobs are being killed.
        if worker.process.returncode is None:
            with contextlib.suppress(psutil.NoSuchProcess):
                worker.supervisor.send_signal(signal.SIGTERM)
        return worker.process.returncode is not None

    await until(sent_again_until_it_has_ended)
    assert worker.process.returncode == 130
    await worker.wait_until_nothing_is_alive()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGQUIT])
async def test_nothing_stays_alive_after_a_signal_to_the_process_group(worker: Worker, number: int) -> None:
    """As `kill -9 %1` in a shell and Ctrl-\\ at a terminal send it: keeper and supervisor must not both get it."""
    os.killpg(worker.process.pid, number)
    await worker.wait_until_nothing_is_alive()
