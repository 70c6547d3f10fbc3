"""How children end: conformance test 8 of the engine contract."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from contract_support import WAITS, Setup
from contract_worker import Worker

from sdk.devengine import DevEngine
from tests.patience import until

pytestmark = [pytest.mark.contract, pytest.mark.asyncio(loop_scope="session")]

ENDS: dict[str, tuple[str, dict[str, Any], list[str]]] = {
    "SIGKILL": ("contract/signalled", {"choice": "SIGKILL"}, ["SIGKILL", "memory"]),
    "SIGTERM": ("contract/signalled", {"choice": "SIGTERM"}, ["SIGTERM"]),
    "a segmentation fault": ("neops_testing/segfault", {}, ["SIGSEGV", "segmentation fault"]),
    "an abort": ("contract/signalled", {"choice": "SIGABRT"}, ["SIGABRT"]),
    "os._exit": ("neops_testing/exit_code", {"code": 3}, ["exit code 3"]),
    "os._exit(0)": ("neops_testing/exit_code", {"code": 0}, ["exit code 0", "before the block returned"]),
    "sys.exit": ("neops_testing/sys_exit", {"code": 0}, ["SystemExit"]),
    "too much memory": ("contract/small_memory", {}, ["memory limit", "150 MB"]),
    "too much time": ("contract/short_time", {}, ["time limit", "0.5 s"]),
    "an exception": ("neops_testing/raise_error", {}, ["ValueError"]),
    "no result": ("neops_testing/no_result", {}, ["returned nothing"]),
    "a result that is not JSON": ("neops_testing/not_json_result", {}, ["JSON"]),
    "a result over the cap": ("neops_testing/big_result", {"mb": 9}, ["bytes of JSON"]),
}

# What would be the same at each try. All else the engine decides by the block's own properties.
FINAL = {"no result", "a result that is not JSON", "a result over the cap"}


@pytest.mark.parametrize("name", ENDS)
async def test_an_abnormal_end_is_a_failure_that_names_its_cause(setup: Setup, name: str) -> None:
    """Number 8: `retryable` is unset or true, and the worker goes on."""
    block, parameters, told = ENDS[name]
    job_id = setup.engine.submit(block=f"{block}:1.0.0", parameters=parameters)
    result = (await setup.result(job_id))["result"]
    job = setup.engine.job(job_id)
    assert (job.finished_at or 0) - (job.claimed_at or 0) < 30
    assert result["success"] is False
    for text in told:
        assert text in result["message"]
    assert "dbUpdates" not in result
    if name in FINAL:
        assert result["retryable"] is False
    else:
        assert "retryable" not in result
    assert await setup.works()


async def test_a_time_limit_that_the_engine_would_not_wait_for_is_refused_at_the_start(
    start_worker: Callable[..., Worker],
) -> None:
    """Number 8: the engine gives a job up after 720 s; the worker must be sooner, kill and report included."""
    worker = start_worker("http://127.0.0.1:9", "--max-job-seconds", "700")
    assert await worker.exit_code() == 2
    assert "720" in worker.log
    assert "--max-job-seconds" in worker.log


async def test_a_job_that_was_done_in_time_while_the_worker_was_stopped_is_a_success(
    engine: DevEngine, start_worker: Callable[..., Worker], tmp_path: Path
) -> None:
    """As on a laptop that slept: its outcome waits in the socket, and its limit is long over."""
    worker = start_worker(engine.url, "--max-job-seconds", "4")
    setup = Setup(engine, worker)
    await worker.ready()
    job_id = engine.submit(block=WAITS, parameters={"choice": str(tmp_path / "release")})
    await setup.started(job_id)
    over_at = time.monotonic() + 5.0  # the job may begin a moment after this is said
    below = psutil.Process(worker.supervisor_pid)
    job = await until(lambda: next((c for c in below.children() if c.name() == "neops-job"), None), "it runs")
    below.suspend()
    (tmp_path / "release").touch()
    await until(lambda: job.status() == psutil.STATUS_ZOMBIE, "it has ended", seconds=3.0)
    await asyncio.sleep(over_at - time.monotonic())
    below.resume()
    result = (await setup.result(job_id))["result"]
    assert result["success"] is True, result["message"]
