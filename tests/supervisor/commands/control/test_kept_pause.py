"""A pause and the end of the worker: one that was killed comes back paused, one that was stopped does not."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sdk.devengine import Fault
from sdk.testing.daemon import SupervisorProcess
from sdk.testing.engine import EngineThread
from supervisor.commands import cancel, drain, pause, resume, status
from supervisor.worker.control_socket.exit_codes import DONE, NO
from tests.patience import wait_until

JOB = "neops_testing/slow:1.0.0"


class Scene:
    """An engine, a worker, and somebody who types commands on the worker's machine."""

    def __init__(self, engine: EngineThread, directory: Path) -> None:
        self.engine = engine
        self.place = ("--state-dir", str(directory / "state"))
        settings = {"function_blocks": ["blocks.testing.timing"], "engine_token_file": engine.token_file}
        self.worker = SupervisorProcess(engine.url, directory, settings)

    def lines(self, text: str) -> list[str]:
        return [line for line in self.worker.log.splitlines() if text in line]

    def end(self, number: signal.Signals, pid: int | None = None) -> None:
        os.kill(pid or self.worker.pid, number)
        self.worker.wait()


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with EngineThread() as engine:
        scene = Scene(engine, tmp_path)
        with scene.worker:
            yield scene


def status_of(scene: Scene, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    capsys.readouterr()
    status.run(["--json", *scene.place])
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def pause_at_rest(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    """Pause it, until no request is on its way that would claim a job that comes now."""

    def is_at_rest() -> bool:
        capsys.readouterr()
        asked = ("--json", "--note", "switch upgrade", "--for", "1h", *scene.place)
        assert pause.run(list(asked)) == DONE
        return bool(json.loads(capsys.readouterr().out)["requests"] == 0)

    wait_until(is_at_rest)


@pytest.mark.parametrize("victim", ["supervisor", "keeper"])
def test_a_worker_that_was_killed_comes_back_paused_and_says_by_whom_and_why(
    scene: Scene, victim: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pause_at_rest(scene, capsys)
    before = status_of(scene, capsys)
    scene.end(signal.SIGKILL, before["pid"] if victim == "supervisor" else None)
    waits = scene.engine.submit(JOB, {"seconds": 0})
    scene.worker.start()
    after = status_of(scene, capsys)
    (why,) = after["why_not"]
    assert (why["cause"], why["message"].endswith(": switch upgrade")) == ("paused", True)
    assert after["intake"]["by"] == before["intake"]["by"]
    assert before["intake"]["seconds_left"] > after["intake"]["seconds_left"] > 0
    (kept,) = scene.lines("event=intake_kept")
    assert "switch upgrade" in kept
    assert scene.engine.job(waits).claimed_at is None
    assert resume.run([*scene.place]) == DONE
    scene.engine.wait_for_result(waits)
    scene.end(signal.SIGKILL)
    scene.worker.start()
    assert status_of(scene, capsys)["intake"]["mode"] == "open", "what was ended by a person is over"


def test_a_worker_that_was_stopped_comes_back_open(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    assert pause.run([*scene.place]) == DONE
    scene.end(signal.SIGTERM)
    scene.worker.start()
    assert status_of(scene, capsys)["intake"]["mode"] == "open"
    assert not scene.lines("event=intake_kept")


def test_a_drain_is_forgotten_by_a_stop_also_where_the_stop_is_cut_off_after_the_last_job(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    scene.engine.call(lambda engine: engine.faults.add(Fault("unregister", hang=True)))
    job = scene.engine.submit(JOB, {"seconds": 600})
    wait_until(lambda: scene.lines("event=job_started"), "it runs")
    assert drain.run([*scene.place]) == DONE
    scene.worker.signal(signal.SIGTERM)
    wait_until(lambda: scene.lines("event=stop_signalled"), "it stops")
    assert cancel.run([job, *scene.place]) == DONE
    wait_until(lambda: scene.engine.call(lambda engine: engine.faults.waiting) == 0, "it unregisters")
    seen = status_of(scene, capsys)["intake"]["seconds"]
    # Long enough to look several times at what is left, which is nothing.
    wait_until(lambda: status_of(scene, capsys)["intake"]["seconds"] > seen + 1, "it goes on stopping")
    scene.end(signal.SIGKILL)
    assert not scene.lines("event=worker_drained")
    scene.worker.start()
    assert status_of(scene, capsys)["intake"]["mode"] == "open"
    assert not scene.lines("event=intake_kept")


def test_a_worker_that_was_killed_while_it_drained_drains_on(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    assert drain.run(["--note", "new disk", *scene.place]) == DONE
    scene.end(signal.SIGKILL)
    scene.worker.start()
    wait_until(lambda: status_of(scene, capsys)["intake"]["mode"] == "drained", "it is drained")
    assert status.run([*scene.place]) == NO
    assert "new disk" in capsys.readouterr().out
