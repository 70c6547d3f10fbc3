"""pause, resume, drain, cancel, reload and config, as they are typed, to a real worker with a real engine."""

import contextlib
import io
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from sdk.devengine import Fault
from sdk.testing.daemon import SupervisorProcess
from sdk.testing.engine import EngineThread
from supervisor.commands import cancel, config, drain, job, pause, reload, resume, stack, status
from supervisor.process.user_names import user_name
from supervisor.worker.control_socket.exit_codes import DONE, NO, NO_WORKER, UNKNOWN_JOB, USAGE
from tests.patience import PATIENCE_SECONDS, wait_until

MODULES = (pause, resume, drain, cancel, reload, config, status, job, stack)
VERBS: Mapping[str, Callable[[list[str]], int]] = {
    module.__name__.rpartition(".")[2]: module.run for module in MODULES
}
SETTINGS: Mapping[str, Any] = {
    "function_blocks": ["blocks.testing.hangs", "blocks.testing.timing", "mine.py"],
    "max_concurrent_jobs": 2,
    "heartbeat_seconds": 1,
}
MINE = """
import sdk
class NoParams(sdk.FunctionBlockParams): ...
class NoData(sdk.FunctionBlockResultData): ...
@sdk.register_function_block(sdk.Registration(name="mine", description="d", package="acme", run_on="global",
    fb_type="none", param_cls=NoParams, result_cls=NoData))
class Mine(sdk.FunctionBlock[NoParams, NoData]):
    async def run(self, params, context):
        return sdk.FunctionBlockResult(success=True, message="done", data=NoData())
"""


class Scene:
    """An engine, a worker, and somebody who types commands on the worker's machine."""

    def __init__(self, engine: EngineThread, directory: Path) -> None:
        self.engine = engine
        self.directory = directory
        self.worker = SupervisorProcess(
            engine.url, directory, {**SETTINGS, "engine_token_file": engine.token_file}
        )

    def submit(self, name: str, **parameters: Any) -> str:
        return self.engine.submit(f"neops_testing/{name}:1.0.0", parameters)

    def started(self, name: str, **parameters: Any) -> str:
        """Submit a job, and wait until its block runs: that it has its child is logged a moment before its order."""
        job_id = self.submit(name, **parameters)
        wait_until(lambda: self._block_runs(job_id), f"the block of {job_id} runs")
        return job_id

    def _block_runs(self, job_id: str) -> bool:
        if not any(job_id in line for line in self.lines("event=job_started")):
            return False
        with (
            contextlib.redirect_stdout(io.StringIO()) as shown,
            contextlib.redirect_stderr(io.StringIO()),
        ):
            is_shown = self.type("stack", job_id) == DONE and "blocks/testing/" in shown.getvalue()
        return is_shown or self.engine.job(job_id).result is not None

    def lines(self, text: str) -> list[str]:
        return [line for line in self.worker.log.splitlines() if text in line]

    def type(self, verb: str, *arguments: str) -> int:
        return VERBS[verb]([*arguments, "--state-dir", str(self.directory / "state")])

    def result_of(self, job_id: str) -> dict[str, Any]:
        found: dict[str, Any] = (self.engine.wait_for_result(job_id).result or {})["result"]
        return found


def _scene(directory: Path) -> Iterator[Scene]:
    (directory / "mine.py").write_text(MINE)
    with EngineThread() as engine:
        scene = Scene(engine, directory)
        with scene.worker:
            yield scene


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    yield from _scene(tmp_path_factory.mktemp("shared"))


@pytest.fixture
def worker(shared: Scene) -> Iterator[Scene]:
    """The worker that the tests share: open, and as it was, when one begins."""
    yield shared
    shared.type("resume")


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Scene]:
    """A worker for a test that ends it."""
    yield from _scene(tmp_path)


def said(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def is_at_rest(worker: Scene, capsys: pytest.CaptureFixture[str]) -> bool:
    """Pause it once more, and tell whether no request is on its way."""
    assert worker.type("pause", "--note", "switch upgrade", "--json") == DONE
    return bool(said(capsys)["requests"] == 0)


def told_of_its_end(worker: Scene, job_id: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any] | None:
    """Return what `supervisor job` tells of the job; nothing while it is still at work on its result."""
    assert worker.type("job", job_id, "--json") == DONE
    told = said(capsys)
    return told if told["state"] == "ended" else None


def test_a_paused_worker_claims_nothing_beats_finishes_and_delivers_until_it_is_resumed(
    worker: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = worker.started("slow", seconds=1)
    assert worker.type("pause", "--note", "switch upgrade") == DONE
    assert "paused until `supervisor resume` or a restart" in capsys.readouterr().out
    wait_until(
        lambda: is_at_rest(worker, capsys), "no request is on its way that would claim a job that comes now"
    )
    assert worker.result_of(runs)["success"]
    waits = worker.submit("slow", seconds=0)
    beats = worker.engine.call(lambda engine: engine.workers()[0].last_ping_at)
    wait_until(
        lambda: worker.engine.call(lambda engine: engine.workers()[0].last_ping_at) > beats, "it beats"
    )
    assert worker.engine.job(waits).claimed_at is None
    assert worker.type("status", "--json") == NO
    (why,) = said(capsys)["why_not"]
    assert why["cause"] == "paused"
    assert "switch upgrade" in why["message"]
    assert "until `supervisor resume` or a restart" in why["message"]
    assert worker.type("status") == NO
    assert "\n  paused since 2" in capsys.readouterr().out
    assert worker.type("resume") == DONE
    assert worker.result_of(waits)["success"]
    wait_until(lambda: bool(worker.lines("pauses the worker until")))
    wait_until(lambda: bool(worker.lines("resumes the worker. The worker asks for jobs again.")))
    assert worker.type("status") == DONE


def test_a_pause_with_an_end_ends_by_itself(worker: Scene) -> None:
    assert worker.type("pause", "--for", "0.5s") == DONE
    assert worker.result_of(worker.submit("slow", seconds=0))["success"]
    # The job may have come with an answer to a request that was under way.
    wait_until(lambda: bool(worker.lines("The pause is over. The worker asks for jobs again.")))


@pytest.mark.parametrize("time", ["0", "-1", "soon", "1w", "31d", "inf"])
def test_a_time_that_is_none_is_wrong_usage(worker: Scene, time: str) -> None:
    with pytest.raises(SystemExit) as ended:
        worker.type("pause", f"--for={time}")
    assert ended.value.code == USAGE
    assert worker.type("status") == DONE


def test_a_pause_survives_a_reload(worker: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    worker.type("pause")
    assert worker.type("reload") == DONE
    assert "reloaded: " in capsys.readouterr().out
    assert worker.type("status") == NO


def test_a_drain_waits_for_jobs_and_deliveries_then_idles_and_no_pause_takes_its_place(
    worker: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = worker.started("slow", seconds=1)
    assert worker.type("drain", "--wait", "--json") == DONE
    answer = said(capsys)
    assert (answer["mode"], answer["jobs"], answer["results"]) == ("drained", 0, 0)
    assert worker.engine.job(runs).result_status == "success", "it returned before the engine had the result"
    waits = worker.submit("slow", seconds=0)
    assert worker.type("pause", "--for", "1s") == NO
    assert "A pause would end that" in capsys.readouterr().err
    assert worker.type("status", "--json") == NO
    assert said(capsys)["why_not"][0]["cause"] == "drained"
    assert worker.engine.job(waits).claimed_at is None
    assert worker.type("resume") == DONE
    assert worker.result_of(waits)["success"]


def test_who_waits_for_a_drain_is_told_what_is_left_once_and_again_only_when_that_changes(
    worker: Scene,
) -> None:
    runs = worker.started("slow", seconds=600)
    codes: list[int] = []
    waiting = threading.Thread(target=lambda: codes.append(worker.type("drain", "--wait")))
    with contextlib.redirect_stdout(io.StringIO()) as shown:
        waiting.start()
        # A poll may be on its way still, which is told behind it.
        wait_until(lambda: shown.getvalue().startswith("draining: 1 job(s) to finish"), "it is told")
        time.sleep(3)  # the worker looks several times meanwhile
        assert worker.type("cancel", runs) == DONE
        waiting.join(PATIENCE_SECONDS)
    assert codes == [DONE]
    *told, last = [line for line in shown.getvalue().splitlines() if line.startswith("drain")]
    assert len(set(told)) == len(told), told
    assert last.startswith("drained")


def test_who_waits_for_a_drain_is_told_when_somebody_resumes_the_worker(
    worker: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = worker.started("slow", seconds=30)
    before = len(worker.lines("drains the worker"))
    codes: list[int] = []
    waiting = threading.Thread(target=lambda: codes.append(worker.type("drain", "--wait")))
    waiting.start()
    wait_until(lambda: len(worker.lines("drains the worker")) > before, "the drain has begun")
    worker.type("resume")
    waiting.join(60)
    assert codes == [NO]
    assert "Somebody has resumed the worker before it was drained." in capsys.readouterr().err
    assert worker.type("cancel", runs) == DONE


def test_a_job_that_is_cancelled_fails_with_that_cause_and_its_neighbour_goes_on(
    worker: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    neighbour = worker.started("slow", seconds=2)
    hangs = worker.started("hang_await")
    assert worker.type("cancel", hangs, "--json") == DONE
    answer = said(capsys)
    assert (answer["cancelled"], answer["outcome"], answer["cause"]) == (True, "failed", "cancelled")
    result = worker.result_of(hangs)
    assert not result["success"]
    assert "because an operator cancelled it" in result["message"]
    assert "Cause: cancelled." in result["message"]
    wait_until(lambda: bool(worker.lines("cancels the job.")))
    ended = wait_until(lambda: told_of_its_end(worker, hangs, capsys), "the worker has put it away as ended")
    assert ended["cancelled_by"] == user_name(os.geteuid())
    assert ended["started_at"] <= ended["cancelled_at"] <= ended["ended_at"]
    assert worker.result_of(neighbour)["success"]


def test_a_job_that_does_not_heed_its_cancel_is_killed_after_its_grace(
    worker: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    deaf = worker.started("ignores_cancel")
    assert worker.type("cancel", deaf) == DONE
    assert "The job has 1 s to clean up, and is killed then." in capsys.readouterr().err
    message = worker.result_of(deaf)["message"]
    assert "Killed because an operator cancelled it. It had 1 s to clean up" in message
    assert "Where it was:" in message


def test_a_job_that_has_ended_or_never_was_is_not_cancelled(
    worker: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    ended = worker.submit("slow", seconds=0)
    assert worker.result_of(ended)["success"]
    wait_until(lambda: worker.type("cancel", ended) == NO, "its end is known")
    assert f"Job {ended} has ended already" in capsys.readouterr().err
    for unknown in ("no-such-job", "x" * 5000, "a\nb"):
        assert worker.type("cancel", unknown) == UNKNOWN_JOB
        assert "Nothing was cancelled." in capsys.readouterr().err
    assert worker.engine.job(ended).result_status == "success"


def test_a_reload_that_is_refused_says_why_and_fails_and_the_next_one_is_done(
    worker: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = worker.directory / "mine.py"
    mine.write_text("this is no Python")
    assert worker.type("reload") == NO
    assert "Not reloaded, everything stays as it was" in (err := capsys.readouterr().err)
    assert "mine.py" in err
    mine.write_text(MINE)
    (worker.directory / ".env").write_text("NEOPS_MAX_RESULT_MB=none\n")
    assert worker.type("reload") == NO
    assert "NEOPS_MAX_RESULT_MB in .env, line 1" in capsys.readouterr().err
    (worker.directory / ".env").unlink()
    assert worker.type("reload", "--json") == DONE
    assert said(capsys)["blocks"] > 5


def test_a_reload_names_the_misspelt_setting_in_the_file_and_the_nearest_one(
    worker: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    (worker.directory / ".env").write_text("NEOPS_MAX_RESULT_MBB=3\n")
    assert worker.type("reload") == DONE
    problem = "NEOPS_MAX_RESULT_MBB in .env, line 1 is no setting of this worker, so it has no effect. "
    problem += "Did you mean NEOPS_MAX_RESULT_MB?"
    assert problem in capsys.readouterr().err
    wait_until(lambda: bool(worker.lines(problem)))
    (worker.directory / ".env").unlink()
    assert worker.type("reload", "--json") == DONE
    assert said(capsys)["ignored"] == []


def test_status_says_since_when_the_engine_is_not_reached(
    worker: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    worker.engine.call(lambda engine: engine.faults.add(Fault("poll", status=503, times=1000)))
    wait_until(lambda: worker.type("status") == NO, "it notices")
    capsys.readouterr()
    assert worker.type("status", "--json") == NO
    assert said(capsys)["engine_silent_seconds"] >= 0
    assert worker.type("status") == NO
    assert "\n         not reached since 2" in capsys.readouterr().out
    worker.engine.call(lambda engine: engine.faults.clear())
    wait_until(lambda: worker.type("status") == DONE, "it is back")
    capsys.readouterr()
    assert worker.type("status", "--json") == DONE
    assert said(capsys)["engine_silent_seconds"] is None


def test_a_reload_names_the_blocks_that_are_gone_and_new(
    worker: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    other = worker.directory / "mine.py"
    other.write_text(MINE.replace("mine", "yours"))
    assert worker.type("reload") == DONE
    told = capsys.readouterr().out
    assert "gone: acme/mine:1.0.0" in told
    assert "new: acme/yours:1.0.0" in told
    other.write_text(MINE)
    assert worker.type("reload") == DONE
    assert worker.type("status", "--json") == DONE
    assert '"not_imported": []' in capsys.readouterr().out


def test_config_has_each_setting_of_the_running_worker_and_what_a_reload_has_changed(
    worker: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    (worker.directory / ".env").write_text("NEOPS_MAX_RESULT_MB=3\nNEOPS_REQUEST_TIMEOUT_SECONDS=7\n")
    assert worker.type("reload") == DONE
    assert "In force only after a restart: --request-timeout-seconds." in capsys.readouterr().err
    assert worker.type("config", "--json") == DONE
    answer = said(capsys)
    rows = {row["name"]: (row["value"], row["origin"]) for row in answer["settings"]}
    assert rows["max_result_mb"] == ("3", "NEOPS_MAX_RESULT_MB in .env, line 1")
    assert rows["request_timeout_seconds"] == ("30", "default")
    assert rows["max_concurrent_jobs"] == ("2", "--max-concurrent-jobs")
    assert answer["needs_restart"] == ["--request-timeout-seconds"]
    (worker.directory / ".env").unlink()
    assert worker.type("reload") == DONE
    assert worker.type("config") == DONE
    assert "request_timeout_seconds" in capsys.readouterr().out


def test_without_a_worker_each_verb_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for verb, run in VERBS.items():
        job = ["some-job"] if verb in ("cancel", "job", "stack") else []
        assert run([*job, "--state-dir", str(tmp_path)]) == NO_WORKER
        assert f"supervisor {verb}: No worker listens in " in capsys.readouterr().err


def test_config_without_a_worker_shows_what_one_would_start_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NEOPS_ENGINE_URL", raising=False)
    (tmp_path / ".env").write_text("NEOPS_ENGINE_URL=http://me:Trellis-Wagon-1842@engine:1\n")
    assert config.run(["--next-start", "--json", "--grace-seconds", "3"]) == DONE
    rows = {row["name"]: (row["value"], row["origin"]) for row in said(capsys)["settings"]}
    assert rows["engine_url"] == ("http://***@engine:1", "NEOPS_ENGINE_URL in .env, line 1")
    assert rows["grace_seconds"] == ("3", "--grace-seconds")
    with pytest.raises(SystemExit) as ended:
        config.run(["--next-start", "--grace-seconds=-1"])
    assert ended.value.code == USAGE


def test_a_worker_that_stops_still_cancels_and_takes_no_pause(
    own: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    hangs = own.started("hang_await")
    own.worker.signal(signal.SIGTERM)
    wait_until(lambda: own.lines("The worker stops."), "it stops")
    for verb in ("pause", "resume", "drain", "reload"):
        assert own.type(verb) == NO
        assert "stopping" in capsys.readouterr().err
    assert own.type("cancel", hangs) == DONE
    assert own.worker.wait() == 0
    assert "because an operator cancelled it" in own.result_of(hangs)["message"]


def test_a_worker_that_is_to_end_when_drained_ends_with_0_after_its_last_result(
    own: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = own.started("slow", seconds=1)
    assert own.type("drain", "--wait", "--exit") == DONE
    assert "drained; the worker ends" in capsys.readouterr().out
    assert own.worker.wait() == 0
    assert own.engine.job(runs).result_status == "success"
    assert own.lines("The worker is drained: no job is here, and the engine has every result. It ends.")
