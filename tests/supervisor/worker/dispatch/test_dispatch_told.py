"""What the log says of a job's start and end: its slot, its child and what it took. Programs read it."""

import logging
from dataclasses import replace
from pathlib import Path

import pytest
from dispatch_support import BLOCK, SETTINGS, block_entry, job, scene, success

from jobrunner.protocol.catalogue import Catalogue
from jobrunner.protocol.masking import Masked
from supervisor.job.result import Finished, not_run
from supervisor.log.events.jobs import JobEnded, JobStarted
from supervisor.verdict import ExitStatus, Usage, refusals
from tests.log_events import told
from tests.patience import until


@pytest.fixture(autouse=True)
def _from_info_on(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


def slots_of(caplog: pytest.LogCaptureFixture) -> dict[str, int]:
    """The slot that each job has got, in the order of their starts."""
    return {event["job"]: event["slot"] for event in told(caplog, JobStarted)}


async def test_how_the_process_of_a_job_ended_is_told_as_a_fact(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with scene(tmp_path) as stage:
        for name, status in (("exits", ExitStatus(code=7)), ("crashes", ExitStatus(signal_name="SIGSEGV"))):
            await stage.accept(job(name))
            ended = success()
            await stage.end(name, replace(ended, ending=replace(ended.ending, exit_status=status)))
    exited, crashed = told(caplog, JobEnded)
    assert (exited["exit_code"], exited.get("signal")) == (7, None)
    assert (crashed.get("exit_code"), crashed["signal"]) == (None, "SIGSEGV")


async def test_where_the_code_of_a_killed_job_was_is_told_as_a_fact(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "slow.py"
    stack = f'Thread 0x1 (most recent call first):\n  File "{file}", line 12 in wait\n'
    async with scene(tmp_path) as stage:
        for name, where in (("hangs", stack), ("ends", "")):
            await stage.accept(job(name))
            ended = success()
            await stage.end(name, replace(ended, ending=replace(ended.ending, stack=Masked(where))))
    hung, ended_by_itself = told(caplog, JobEnded)
    assert hung["where"] == "slow.py:12 wait"
    assert "where" not in ended_by_itself


def took(finished: Finished, usage: Usage) -> Finished:
    return replace(finished, ending=replace(finished.ending, usage=usage))


async def test_a_job_that_starts_is_told_with_its_slot_and_its_child(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with scene(tmp_path) as stage:
        await stage.accept(job("a"))
        await until(lambda: stage.runner.running, "it runs")
        started = {"job": "a", "block": BLOCK, "slot": 0, "pid": stage.runner.pid_of("a")}
        assert told(caplog, JobStarted) == [started]
        assert told(caplog, JobEnded) == []
        await stage.end("a", success())
        (ended,) = told(caplog, JobEnded)
        assert {name: ended[name] for name in started} == started


async def test_what_a_job_took_and_what_it_might_have_taken_is_told_at_its_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with scene(tmp_path) as stage:
        stage.dispatcher.offer(Catalogue(blocks=(block_entry(max_seconds=4.0),)))
        for name in ("measured", "unknown"):
            await stage.accept(job(name))
            usage = Usage(1.25, peak_memory_mb=33.0, cpu_seconds=0.5) if name == "measured" else Usage(2.0)
            await stage.end(name, took(success(), usage))
    measured, unknown = told(caplog, JobEnded)
    assert (measured["seconds"], measured["limit_seconds"]) == (1.25, 4.0)
    assert (measured["cpu_seconds"], measured["peak_memory_mb"]) == (0.5, 33.0)
    assert not unknown.keys() & {"cpu_seconds", "peak_memory_mb"}


async def test_the_limit_that_is_told_is_the_one_that_the_job_began_with(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A reload changes it for the jobs that come."""
    async with scene(tmp_path) as stage:
        await stage.accept(job("a"))
        await until(lambda: stage.runner.running, "it runs")
        stage.runner.settings = SETTINGS.model_copy(update={"max_job_seconds": 3.0})
        await stage.end("a", success())
        await stage.accept(job("b"))
        await stage.end("b", success())
    assert [event["limit_seconds"] for event in told(caplog, JobEnded)] == [10.0, 3.0]


async def test_of_a_job_that_gets_no_child_only_the_end_is_told_and_no_pid(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with scene(tmp_path) as stage:
        stage.runner.starts = False
        await stage.accept(job("a"))
        await stage.end("a", not_run(refusals.start_failed("no process is left")))
    assert told(caplog, JobStarted) == []
    (ended,) = told(caplog, JobEnded)
    assert "pid" not in ended
    assert (ended["slot"], ended["outcome"], ended["cause"]) == (0, "failed", "start_failed")
    assert "no process is left" in ended["explanation"]


async def test_jobs_that_run_at_once_have_different_slots_and_the_lowest_free_one_is_given(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with scene(tmp_path, slots=4) as stage:
        await stage.accept(*(job(name) for name in "abcd"))
        await until(lambda: len(stage.runner.running) == 4, "all run")
        assert slots_of(caplog) == {"a": 0, "b": 1, "c": 2, "d": 3}
        for name in "dbc":  # not in the order of their numbers
            await stage.end(name, success())
        await stage.accept(job("e"), job("f"))
        await until(lambda: len(stage.runner.running) == 3, "the next ones run")
        assert (slots_of(caplog)["e"], slots_of(caplog)["f"]) == (1, 2)
        await stage.end("a", success())
        await stage.accept(job("g"))
        await stage.end("g", success())
        assert slots_of(caplog)["g"] == 0
    assert {event["job"]: event["slot"] for event in told(caplog, JobEnded)}.items() <= slots_of(
        caplog
    ).items()


async def test_a_job_that_waits_gets_the_slot_that_becomes_free(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with scene(tmp_path, slots=2) as stage:
        await stage.accept(*(job(name) for name in "abc"))
        await stage.end("b", success())
        await until(lambda: "c" in stage.runner.running, "the third one runs")
        assert slots_of(caplog) == {"a": 0, "b": 1, "c": 1}


async def test_the_slot_of_a_job_that_is_stuck_is_not_given_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with scene(tmp_path, slots=2) as stage:
        await stage.accept(job("stuck"), job("b"))
        await stage.end("stuck", replace(success(), stuck=True))
        await stage.end("b", success())
        for name in "cd":
            await stage.accept(job(name))
            await stage.end(name, success())
        assert slots_of(caplog) == {"stuck": 0, "b": 1, "c": 1, "d": 1}


@pytest.mark.parametrize("how", ["a bug", "a bug after the run", "the job was refused"])
async def test_a_slot_is_given_again_however_its_job_ended(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    async with scene(tmp_path) as stage:
        if how == "a bug after the run":

            def submit(result: object) -> None:
                raise RuntimeError("a bug")

            stage.delivery.submit = submit  # type: ignore[assignment, method-assign]
        if how == "the job was refused":
            await stage.accept(job("first"), job("late"))
            await until(lambda: stage.runner.running, "the first one runs")
            stage.now += 1000.0
            await stage.end("first", success())
        else:
            await stage.accept(job("first"))
            await stage.end("first", RuntimeError("a bug") if how == "a bug" else success())
        await until(lambda: stage.dispatcher.free_slots == 1, "the slot is free")
        await stage.accept(job("next"))
        await stage.end("next", success())
        assert slots_of(caplog) == {"first": 0, "next": 0}
