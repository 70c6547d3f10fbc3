"""`python -m tests.programs.chaos.one_seed`: one seed in a process of its own, which writes a report and cleans up."""

import argparse
import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final

import aiohttp

from tests.faults.cgroups import left_cgroups
from tests.faults.descriptors import descriptors
from tests.faults.fault import Dice
from tests.faults.processors import epoch, watched_processors
from tests.faults.programs import Engine, FaultTestError, Worker, children_of
from tests.faults.proxy import Proxy
from tests.faults.sandbox import SmallDisk, alone, left_processes, still_left
from tests.programs.chaos.checks import check
from tests.programs.chaos.deeds import PAUSE_SECONDS, Deeds
from tests.programs.chaos.history import History, Life, engine_records, read_trace
from tests.programs.chaos.mix import submissions
from tests.programs.chaos.report import write
from tests.traces import trace_file_in

HEARTBEAT_SECONDS: Final = 0.5
CHAOS_SECONDS: Final = 40.0
"""At most; on a quiet machine, all rolls need five to ten. The jobs that are left then come at once."""
ROLLS: Final = 25
ENGINE_BACK_SECONDS: Final = 20.0
SETTLE_SECONDS: Final = 60.0
QUIET_SECONDS: Final = 4.0
"""Longer than a job takes, so that one that runs is not taken for one that nobody knows of."""
STOP_SECONDS: Final = 60.0
READY_SECONDS: Final = 60.0
DISK_MEGABYTES: Final = 8
_REST_SECONDS: Final = 10.0
_RETURN_SECONDS: Final = 60.0
_GONE_SECONDS: Final = 30.0
_STACK_FILE: Final = "/memfd:neops-stack (deleted)"
_ASKED_BY: Final = "anon_inode:seccomp notify"
_LOOK_SECONDS: Final = 0.1


class Seed:
    """One seed: set up, chaos, peace, end."""

    def __init__(self, seed: int, jobs: int, directory: Path) -> None:
        self._seed = seed
        self._jobs = jobs
        self._directory = directory
        self._engine = Engine(directory)
        # A lost worker's jobs are ended soon; one that only restarts is not lost.
        self._engine.flags = (
            "--unreachable-seconds", "20", "--offline-seconds", "30", "--stuck-seconds", "60",
            "--check-interval-seconds", "0.2", "--max-attempts", "2",
        )  # fmt: skip
        self._lives: list[Life] = []
        self._problems: list[str] = []
        self._told_to_stop = False
        self._beside: set[int] = set()
        self._skipped = ""

    async def run(self) -> tuple[History, dict[str, object]]:
        """Run the seed and return what was recorded, and facts for the report."""
        state = self._directory / "state"
        disk: SmallDisk | None = None
        try:
            disk = SmallDisk(state, DISK_MEGABYTES)
        except OSError as error:
            self._skipped = f"full disk ({error.strerror})"
        await self._engine.open()
        rng = Dice(self._seed)
        async with (
            watched_processors(self._directory) as processors,
            Proxy(self._engine.port, rng) as proxy,
            aiohttp.ClientSession() as session,
        ):
            self._beside = {self._engine.pid, *processors.pids}
            worker = self._worker(proxy.url, state)
            deeds = Deeds(self._seed, worker, self._engine, disk)
            tending = asyncio.create_task(self._tend(worker, deeds))
            try:
                await self._chaos(worker, deeds, session)
                rng.on = False
                proxy.let_go()
                await self._peace(worker, session)
                await self._end(worker, session)
            finally:
                await deeds.finish()
                tending.cancel()
                await asyncio.gather(tending, return_exceptions=True)
                await worker.kill()
                await self._engine.kill()
        self._look_for_leftovers(worker)
        if disk is not None:
            disk.unmount()
        jobs, attempts = await engine_records(self._engine.database)
        history = History(
            jobs=jobs,
            attempts=attempts,
            exchanges=proxy.exchanges,
            runs=read_trace(trace_file_in(self._directory)),
            deeds=deeds.done,
            lives=self._lives,
            lateness=[*proxy.lateness, *processors.late],
            epoch=epoch(),
            heartbeat_seconds=HEARTBEAT_SECONDS,
            problems=self._problems,
        )
        faults = Counter(str(each.fault.kind) for each in proxy.exchanges if each.fault is not None)
        facts = {
            "skipped": self._skipped,
            "deeds": Counter(deed.what for deed in deeds.done),
            "faults": faults,
        }
        return history, facts

    def _worker(self, url: str, state: Path) -> Worker:
        return Worker(
            self._directory,
            url,
            state,
            max_concurrent_jobs=4,
            max_job_seconds=2,
            grace_seconds=0.2,
            poll_seconds=0.05,
            heartbeat_seconds=HEARTBEAT_SECONDS,
            shutdown_timeout_seconds=3,
        )

    async def _tend(self, worker: Worker, deeds: Deeds) -> None:
        """Start the worker whenever it does not run, and keep the times of its lives."""
        while not self._told_to_stop:
            started = time.monotonic()
            await worker.begin()
            ready = await worker.wait_for(r"event=worker_ready")
            began = time.monotonic()
            while worker.is_running and not self._told_to_stop:
                await asyncio.sleep(0.02)
            killed = [
                deed.at
                for deed in deeds.done
                if deed.at >= started and deed.what in ("kill supervisor", "kill keeper")
            ]
            if ready:
                # Not at all if it was killed before this saw that it was ready.
                if (ended := min([time.monotonic(), *killed])) > began:
                    self._lives.append(Life(began, ended))
            elif not killed:
                self._problems.extend(_bug(worker))
            if not self._told_to_stop:
                # What a killed keeper left is cleared by its supervisor, which holds the state directory.
                await _gone({*children_of(os.getpid())} - {self._engine.pid, *self._beside})

    async def _chaos(self, worker: Worker, deeds: Deeds, session: aiohttp.ClientSession) -> None:
        await _until(lambda: "event=worker_ready" in worker.said(), READY_SECONDS, "the worker is ready")
        waiting = list(submissions(self._seed, self._jobs, str(trace_file_in(self._directory))))
        end = time.monotonic() + CHAOS_SECONDS
        due, at_each_roll = time.monotonic(), -(-len(waiting) // ROLLS)
        while waiting and time.monotonic() < end:
            await asyncio.sleep(0.02)
            # Rolled only for a worker that is up: what it takes to start is not what this is about.
            if time.monotonic() < due or not _is_ready(worker):
                continue
            due = time.monotonic() + PAUSE_SECONDS
            try:
                await self._engine.ask(session, "POST", "/dev/jobs", waiting[:at_each_roll])
            except (aiohttp.ClientError, OSError):
                pass  # it is away: the same jobs once more, which at worst are some more
            else:
                del waiting[:at_each_roll]
            await deeds.roll()
        await deeds.finish()
        end = time.monotonic() + ENGINE_BACK_SECONDS
        while waiting:
            try:
                await self._engine.ask(session, "POST", "/dev/jobs", waiting)
                waiting.clear()
            except (aiohttp.ClientError, OSError):
                if time.monotonic() > end:
                    raise
                await asyncio.sleep(0.1)

    async def _peace(self, worker: Worker, session: aiohttp.ClientSession) -> None:
        """Wait until every job is final, or until nothing changes any more because nobody knows of the rest."""
        await _until(
            lambda: "event=worker_ready" in worker.said(), READY_SECONDS, "the worker is ready again"
        )
        await self._engine.wait_for("listening")
        supervisor, at_ready = worker.supervisor_pid, await self._descriptors(worker)
        end = time.monotonic() + SETTLE_SECONDS
        unchanged_since, last = time.monotonic(), None
        while time.monotonic() < end:
            active = await self._engine.ask(session, "GET", "/blackboard/jobs/active")
            now = sorted((job["jobId"], job["status"]) for job in active)
            if now != last:
                unchanged_since, last = time.monotonic(), now
            quiet = time.monotonic() - unchanged_since >= QUIET_SECONDS
            if not active or (quiet and all(job["status"] == "polled" for job in active)):
                break
            await asyncio.sleep(_LOOK_SECONDS)
        if worker.supervisor_pid == supervisor and at_ready is not None:
            await self._compare_descriptors(worker, at_ready)

    async def _descriptors(self, worker: Worker) -> Counter[str] | None:
        # The spares belong to the picture: they come within a second of being ready.
        end = time.monotonic() + _REST_SECONDS
        last = None
        while time.monotonic() < end:
            held = descriptors(worker.supervisor_pid)
            if held is None or (held == last and _is_at_rest(worker, held)):
                return held
            last = held
            await asyncio.sleep(_LOOK_SECONDS)
        return None  # it has had jobs since it is ready: there is no picture of it at rest to compare with

    async def _compare_descriptors(self, worker: Worker, before: Counter[str]) -> None:
        end = time.monotonic() + _RETURN_SECONDS
        while (now := descriptors(worker.supervisor_pid)) is not None and (more := now - before):
            if time.monotonic() > end:
                text = f"{dict(more)} more than {dict(before)}; its children: {worker.below_supervisor}"
                self._problems.append(f"left behind: descriptors of the supervisor: {text}")
                return
            await asyncio.sleep(_LOOK_SECONDS)

    async def _end(self, worker: Worker, session: aiohttp.ClientSession) -> None:
        self._told_to_stop = True
        await asyncio.sleep(0.05)
        worker.signal(signal.SIGTERM)
        try:
            if (code := await worker.ended(STOP_SECONDS)) != 0:
                self._problems.append(f"not stopped: the worker's exit code is {code}")
        except FaultTestError as error:
            self._problems.append(f"not stopped: {error}")
        # Jobs that nobody knows of are ended by the engine as those of workers that are gone.
        for known in await self._engine.ask(session, "GET", "/workers"):
            if known["state"] != "offline":
                await self._engine.ask(session, "DELETE", f"/workers/{known['uuid']}")
        end = time.monotonic() + _GONE_SECONDS
        while await self._engine.ask(session, "GET", "/blackboard/jobs/active") and time.monotonic() < end:
            await asyncio.sleep(_LOOK_SECONDS)

    def _look_for_leftovers(self, worker: Worker) -> None:
        left = still_left()
        places = [*worker.temporary.iterdir(), *(worker.state_dir / "jobs").glob("*")]
        cgroups = left_cgroups(worker.state_dir)
        for what, found in (("processes", left), ("files", [*map(str, places)]), ("cgroups", cgroups)):
            if found:
                self._problems.append(f"left behind: {what}: {', '.join(found)}")


async def _gone(pids: set[int]) -> None:
    end = time.monotonic() + _GONE_SECONDS
    while any(Path(f"/proc/{pid}").exists() for pid in pids) and time.monotonic() < end:
        left_processes()
        await asyncio.sleep(0.02)


def _is_ready(worker: Worker) -> bool:
    return worker.is_running and "event=worker_ready" in worker.said()


def _is_at_rest(worker: Worker, held: Counter[str]) -> bool:
    """Whether the supervisor holds four children, all of them spares: one that is dying is still called so.

    What a spare's system calls are asked by comes after its name, or never where the kernel has no such thing.
    """
    names = [*worker.below_supervisor.values()]
    spares = names.count("neops-spare")
    if "neops-session" in names:
        return False  # each has a descriptor here, and ends when it was not used for some seconds
    return spares == held["anon_inode:[pidfd]"] == held[_STACK_FILE] == 4 and held[_ASKED_BY] in (0, 4)


def _bug(worker: Worker) -> list[str]:
    said = worker.said()
    return [f"not stopped: the worker met a bug: {said[-600:]}"] if "Traceback" in said else []


async def _until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise FaultTestError(f"Not within {seconds:g} s: {what}.")
        await asyncio.sleep(0.02)


async def _run(arguments: argparse.Namespace) -> None:
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    history, facts = await Seed(arguments.seed, arguments.jobs, arguments.directory).run()
    write(arguments.directory, history, check(history), facts)


def main() -> int:
    """Run one seed. Exit code 0 when it could be run, whatever was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.programs.chaos.one_seed", description=main.__doc__)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--jobs", type=int, required=True)
    parser.add_argument("--directory", type=Path, required=True)
    arguments = parser.parse_args()
    with alone():
        try:
            asyncio.run(_run(arguments))
        except asyncio.CancelledError:
            return 130
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
