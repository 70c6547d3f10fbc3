"""What a worker that works does while its machine runs out of something: its jobs, a reload, its stop."""

import errno
import signal
import time
from pathlib import Path

import pytest

from tests.faults.scarce import site
from tests.patience import until


@pytest.mark.parametrize("method", ["template", "spawn"])
async def test_a_worker_that_can_start_no_process_claims_no_job_and_runs_it_when_it_can_again(
    tmp_path: Path, method: str
) -> None:
    call = "process" if method == "spawn" else "fork"
    async with site(tmp_path, start_method=method) as scarce:
        await scarce.settled_descriptors()
        scarce.run_out(call, errno.EAGAIN)
        await scarce.kill_template_and_spares()
        await until(
            lambda: "event=polling_paused" in scarce.said(), "the worker says that it asks for no jobs"
        )
        # A poll may have been under way.
        paused = scarce.hits(call)
        await until(lambda: scarce.hits(call) >= paused + 2, "it tries twice")
        waiting, tried = scarce.submit(), scarce.hits(call)
        # A poll would have been due many times: the pauses between two tries are up to twenty of its intervals.
        await until(lambda: scarce.hits(call) >= tried + 4, "it tries again and again")
        assert scarce.engine.job(waiting).status == "pending"
        assert scarce.said().count("event=polling_paused") == 1
        scarce.recover()
        end = time.monotonic() + scarce.recovery_seconds
        assert (await scarce.result(waiting)).result_status == "success", scarce.worker.said()
        assert time.monotonic() < end
        await until(lambda: "event=polling_resumed" in scarce.said(), "it says that it asks for jobs again")
        await scarce.stop()


@pytest.mark.parametrize("method", ["template", "spawn"])
async def test_a_worker_that_runs_needs_no_further_thread_for_anything_its_stop_included(
    tmp_path: Path, method: str
) -> None:
    async with site(tmp_path, start_method=method) as scarce:
        scarce.run_out("thread", 0)
        await scarce.kill_template_and_spares()
        for _ in range(3):
            assert (await scarce.run()).result_status == "success", scarce.worker.said()
        await scarce.stop()
        assert not list((tmp_path / "state" / "jobs").iterdir())


@pytest.mark.parametrize("call", ["process", "pipe", "descriptors"])
@pytest.mark.parametrize("method", ["template", "spawn"])
async def test_a_reload_that_can_not_start_its_process_changes_nothing_and_the_next_one_works(
    tmp_path: Path, method: str, call: str
) -> None:
    async with site(tmp_path, start_method=method) as scarce:
        before = await scarce.settled_descriptors()
        scarce.write("two")
        scarce.run_out(call, errno.EAGAIN if call == "process" else errno.EMFILE)
        scarce.worker.signal(signal.SIGHUP)
        await until(lambda: "event=reload_refused" in scarce.worker.said(), "the reload is refused")
        scarce.recover()
        (line,) = [each for each in scarce.worker.said().splitlines() if "event=reload_refused" in each]
        assert "everything stays as it was" in line
        assert "send SIGHUP again" in line
        assert "Raise the limit of" in line
        assert '"one"' in ((await scarce.run()).result_text or "") or method == "spawn"
        scarce.worker.signal(signal.SIGHUP)
        await until(lambda: "event=reloaded" in scarce.worker.said(), "the next reload works")
        assert '"two"' in ((await scarce.run()).result_text or "")
        await scarce.holds_no_more_than(before)
        await scarce.stop()
