"""What a signal, a failure and the time do to a worker that is on its way out."""

import asyncio
import os
import signal
from collections.abc import Callable
from typing import Any

import pytest

from supervisor.lifecycle.worker import WorkerEvent
from supervisor.worker.shutdown import Shutdown
from tests.simulated_time import elapsed, simulate

TIMEOUT = 30.0


class Notifier:
    def __init__(self, calls: list[Any]) -> None:
        self.calls = calls

    def send(self, *lines: str) -> None:
        self.calls.append(("notify", *lines))


class Scene:
    """A shutdown that writes down what it does, and when."""

    def __init__(self) -> None:
        self.calls: list[Any] = []
        self.shutdown = Shutdown(TIMEOUT, Notifier(self.calls))  # type: ignore[arg-type]  # what is used of it
        self.shutdown.stop_polling = lambda: self.calls.append("stop polling")
        self.shutdown.kill_jobs = lambda: self.calls.append(("kill jobs", elapsed()))

    @property
    def acts(self) -> list[Any]:
        return [call for call in self.calls if call[0] != "notify"]


def after(do: Callable[[Scene], None], seconds: float = 0.0) -> Scene:
    """Do something to a worker, and let time pass."""

    async def live() -> Scene:
        scene = Scene()
        do(scene)
        await asyncio.sleep(seconds)
        return scene

    return simulate(live())


def signalled(times: int) -> Callable[[Scene], None]:
    def do(scene: Scene) -> None:
        for _ in range(times):
            scene.shutdown.on_signal(signal.SIGTERM)

    return do


def test_a_signal_stops_the_polling_and_is_known_to_whoever_waits_for_it() -> None:
    scene = after(signalled(1))
    assert scene.acts == ["stop polling"]
    assert scene.shutdown.asked.is_set()
    assert not after(signalled(0)).shutdown.asked.is_set()


def test_systemd_is_told_before_the_polling_stops() -> None:
    assert after(signalled(1)).calls == [
        ("notify", "STOPPING=1", "STATUS=stopping, at most 30 s for running jobs"),
        "stop polling",
    ]


def test_jobs_that_outlive_the_time_for_them_are_killed_then_and_once() -> None:
    assert after(signalled(1), TIMEOUT - 0.5).acts == ["stop polling"]
    assert after(signalled(1), 10 * TIMEOUT).acts == ["stop polling", ("kill jobs", TIMEOUT)]


def test_a_second_signal_kills_the_jobs_at_once() -> None:
    assert after(signalled(2), 10 * TIMEOUT).acts == ["stop polling", ("kill jobs", 0.0)]


def test_jobs_that_have_ended_are_not_killed_when_the_time_is_over() -> None:
    def do(scene: Scene) -> None:
        signalled(1)(scene)
        scene.shutdown.apply(WorkerEvent.JOBS_ENDED)

    assert after(do, 10 * TIMEOUT).acts == ["stop polling"]


def test_a_third_signal_leaves_at_once_with_130(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    codes: list[int] = []
    monkeypatch.setattr(os, "_exit", codes.append)
    after(signalled(3))
    assert codes == [130]
    assert (
        capfd.readouterr().err
        == "supervisor: SIGTERM. Leaving at once: the next start reports what was interrupted.\n"
    )


def test_each_signal_says_what_it_does(caplog: pytest.LogCaptureFixture) -> None:
    after(signalled(2))
    assert [record.getMessage() for record in caplog.records] == [
        "SIGTERM. Stopping: no new jobs, running ones may go on for 30 s. Once more kills them.",
        "SIGTERM. Stopping now: running jobs are killed and reported. Once more leaves at once.",
    ]


def test_a_fourth_signal_has_nothing_to_announce(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(os, "_exit", lambda code: None)
    after(signalled(4))
    assert len(caplog.records) == 2


def test_a_failure_drains_as_a_signal_does() -> None:
    scene = after(lambda scene: scene.shutdown.begin(), 10 * TIMEOUT)
    assert scene.acts == ["stop polling", ("kill jobs", TIMEOUT)]


def test_a_failure_of_a_worker_that_drains_already_kills_no_job() -> None:
    """It is no second signal: nobody has asked for the jobs' end."""

    def do(scene: Scene) -> None:
        scene.shutdown.begin()
        scene.shutdown.begin()

    assert after(do, TIMEOUT - 0.5).acts == ["stop polling"]


def test_a_failure_after_a_signal_kills_no_job() -> None:
    def do(scene: Scene) -> None:
        signalled(1)(scene)
        scene.shutdown.begin()

    assert after(do, TIMEOUT - 0.5).acts == ["stop polling"]


def test_a_signal_before_there_is_anything_to_stop_is_remembered() -> None:
    async def live() -> bool:
        shutdown = Shutdown(TIMEOUT, Notifier([]))  # type: ignore[arg-type]
        shutdown.on_signal(signal.SIGINT)
        shutdown.on_signal(signal.SIGINT)
        return shutdown.asked.is_set()

    assert simulate(live())


def test_delivering_and_unregistering_are_left_to_the_daemon() -> None:
    def do(scene: Scene) -> None:
        signalled(1)(scene)
        scene.shutdown.apply(WorkerEvent.JOBS_ENDED)
        scene.shutdown.apply(WorkerEvent.RESULTS_DELIVERED)

    assert after(do).acts == ["stop polling"]
