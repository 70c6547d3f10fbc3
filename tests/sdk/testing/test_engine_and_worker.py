"""`dev_engine` and `supervisor_process`: the whole way of a job, in any test."""

import contextlib
import dataclasses
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest
from author_project import INI
from harness_support import block_module, is_alive

from blocks.echo import Echo, EchoParams
from sdk.devengine import RequestError
from sdk.testing import EngineThread, HarnessError, SupervisorProcess
from tests.patience import wait_until

pytest_plugins = ["pytester"]


@pytest.fixture
def supervisor_settings(tmp_path: Path) -> Mapping[str, Any]:
    blocks = tmp_path / "blocks"
    blocks.mkdir()
    (blocks / "whole_way.py").write_text(
        block_module("whole_way", "print('said by it'); return ok(params.text)")
    )
    return {"function_blocks": ["blocks.echo", blocks], "max_concurrent_jobs": 2}


def test_a_job_goes_the_whole_way_without_a_loop(
    dev_engine: EngineThread, supervisor_process: SupervisorProcess
) -> None:
    ids = [dev_engine.submit("acme/whole_way:1.0.0", {"text": text}) for text in ("a", "b")]
    ids.append(dev_engine.submit(Echo, EchoParams(text="c")))
    jobs = [dev_engine.wait_for_result(job_id) for job_id in ids]
    results = [job.result["result"] for job in jobs if job.result is not None]
    assert [(result["success"], result["data"]["text"]) for result in results] == [
        (True, "a"),
        (True, "b"),
        (True, "c"),
    ]
    wait_until(
        lambda: "said by it" in supervisor_process.log, "the worker has logged what the job has printed"
    )
    assert [job.job_id for job in dev_engine.jobs()] == ids
    supervisor_process.signal(signal.SIGTERM)
    assert supervisor_process.wait() == 0
    assert not supervisor_process.is_running


async def test_an_async_test_awaits_results_with_its_loop_free(
    dev_engine: EngineThread, supervisor_process: SupervisorProcess
) -> None:
    job = await dev_engine.result_of(dev_engine.submit(Echo, {"text": "x"}))
    assert job.result_status == "success"


def test_a_result_that_does_not_come_is_a_timeout_that_tells_the_job_s_state(
    dev_engine: EngineThread,
) -> None:
    job_id = dev_engine.submit(Echo, {"text": "x"})
    with pytest.raises(TimeoutError, match=r"has no result after 0\.05 s: it is pending"):
        dev_engine.wait_for_result(job_id, timeout_seconds=0.05)
    assert dev_engine.job(job_id).status == "pending"


class EchoOnADevice(Echo):
    """As if it were registered to run on a device."""

    registration = dataclasses.replace(Echo.registration, name="echo_on_a_device", run_on="device")


def test_with_the_json_of_a_context_a_class_runs_as_it_is_registered(dev_engine: EngineThread) -> None:
    context = {"devices": [{"id": 7, "hostname": "sw1"}]}
    job = dev_engine.job(dev_engine.submit(EchoOnADevice, {"text": "x"}, context))
    assert (job.run_on, job.entity_id) == ("device", 7)
    said = dev_engine.job(dev_engine.submit(EchoOnADevice, {"text": "x"}, context, run_on="global"))
    assert (said.run_on, said.entity_id) == ("global", None)
    with pytest.raises(RequestError, match="runOn device needs entityId"):
        dev_engine.submit(EchoOnADevice, {"text": "x"}, {"devices": [{"id": 7}, {"id": 8}]})


def test_a_worker_that_can_t_start_is_an_error_with_its_log(dev_engine: EngineThread, tmp_path: Path) -> None:
    worker = SupervisorProcess(dev_engine.url, tmp_path / "worker", {"max_job_seconds": 10_000})
    with pytest.raises(HarnessError, match="ended with exit code"):
        worker.start()
    assert "max" in worker.log


def test_the_environment_of_the_tests_changes_no_worker(
    dev_engine: EngineThread, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEOPS_LOG_LEVEL", "no level")
    settings = {"function_blocks": ["blocks.echo"], "engine_token_file": dev_engine.token_file}
    with SupervisorProcess(dev_engine.url, tmp_path / "worker", settings) as worker:
        assert worker.is_running
        pid = worker.pid
    assert not Path(f"/proc/{pid}").exists()


def test_a_setting_of_several_values_may_be_a_text_as_on_the_command_line(
    dev_engine: EngineThread, tmp_path: Path
) -> None:
    body = "return ok(os.environ.get('ACME_SITE', 'not seen'))"
    (tmp_path / "where_it_is.py").write_text(block_module("where_it_is", body))
    settings = {
        "function_blocks": f"blocks.echo, {tmp_path}/where_it_is.py",
        "job_env": "TZ, ACME_SITE",
        "engine_token_file": dev_engine.token_file,
    }
    with SupervisorProcess(dev_engine.url, tmp_path / "worker", settings, {"ACME_SITE": "bern"}):
        job = dev_engine.wait_for_result(dev_engine.submit("acme/where_it_is:1.0.0"))
    assert job.result is not None
    assert job.result["result"]["data"] == {"text": "bern"}


def test_a_worker_that_does_not_end_is_killed_with_all_below_it(
    dev_engine: EngineThread, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sdk.testing.daemon._STOP_SECONDS", 4.0)
    settings = {"function_blocks": ["blocks.echo"], "engine_token_file": dev_engine.token_file}
    with SupervisorProcess(dev_engine.url, tmp_path / "worker", settings) as worker:
        keeper = worker.pid
        below = int(Path(f"/proc/{keeper}/task/{keeper}/children").read_text().split()[0])
        os.kill(below, signal.SIGSTOP)
    assert not Path(f"/proc/{below}").exists()
    assert not Path(f"/proc/{keeper}").exists()


STARTS_A_WORKER = """
import sys
from pathlib import Path
from sdk.testing import EngineThread, SupervisorProcess
with EngineThread() as engine:
    settings = {"function_blocks": ["blocks.echo"], "engine_token_file": engine.token_file}
    with SupervisorProcess(engine.url, Path(sys.argv[1]), settings) as worker:
        print(worker.pid, flush=True)
        sys.stdin.read()
"""


def test_a_worker_does_not_outlive_tests_that_are_killed(tmp_path: Path) -> None:
    tests = subprocess.Popen(
        [sys.executable, "-c", STARTS_A_WORKER, str(tmp_path / "worker")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with tests:
        assert tests.stdout is not None
        keeper = psutil.Process(int(tests.stdout.readline()))
        worker = [keeper, *keeper.children(recursive=True)]
        tests.kill()
    try:
        assert len(worker) > 1
        wait_until(lambda: not any(is_alive(each.pid) for each in worker), f"none of {worker} runs any more")
    finally:
        for each in worker:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()


def test_the_worker_s_log_stands_below_a_test_that_failed(pytester: pytest.Pytester) -> None:
    pytester.makeini(INI)
    pytester.makepyfile(
        beside=block_module("beside", "print('from the child'); return ok()"),
        test_beside="""
        def test_it(dev_engine, supervisor_process):
            job = dev_engine.wait_for_result(dev_engine.submit("acme/beside:1.0.0"))
            assert job.result_status == "failed"
        """,
    )
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*Log of supervisor_process*", "*from the child*"])


def test_lines_that_come_after_the_failure_stand_below_the_test_too(pytester: pytest.Pytester) -> None:
    pytester.makeini(INI)
    pytester.makepyfile(
        test_late="""
        import pytest
        class Worker:
            log = "an early line"
        @pytest.fixture
        def supervisor_process():
            worker = Worker()
            yield worker
            worker.log += " and a late one"
        def test_it(supervisor_process):
            assert False
        """
    )
    result = pytester.runpytest_subprocess("test_late.py")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*Log of supervisor_process*", "an early line and a late one"])
    assert result.stdout.str().count("an early line") == 1, "it is not shown twice"


@pytest.mark.parametrize("setting", ["blocks", ["blocks"]], ids=["a text", "a list"])
def test_blocks_in_a_directory_are_those_of_the_project_also_where_the_worker_has_a_package_of_its_name(
    pytester: pytest.Pytester, setting: object
) -> None:
    pytester.makeini(INI)
    (pytester.mkdir("blocks") / "nearby.py").write_text(block_module("nearby"))
    pytester.makepyfile(
        test_nearby=f"""
        import pytest
        @pytest.fixture
        def supervisor_settings():
            return {{"function_blocks": {setting!r}}}
        def test_it(dev_engine, supervisor_process):
            job = dev_engine.wait_for_result(dev_engine.submit("acme/nearby:1.0.0"))
            assert job.result_status == "success"
        """
    )
    pytester.runpytest_subprocess("test_nearby.py").assert_outcomes(passed=1)
