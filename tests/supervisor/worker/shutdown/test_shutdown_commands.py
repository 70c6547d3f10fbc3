"""What a signal, a failure and the time do to a worker that is on its way out."""

import asyncio
import os
import signal
from collections.abc import Callable
from typing import Any

import pytest

from supervisor.log.events.worker import StopSignalled
from supervisor.worker.shutdown import Shutdown
from tests.log_events import records_of, told
from tests.simulated_time import elapsed, simulate

TIMEOUT = 30.0
ENDED = ["stop polling", "deliver", "delivered", "unregister"]


class Notifier:
    def __init__(self, calls: list[Any]) -> None:
        self.calls = calls

    def send(self, *lines: str) -> None:
        self.calls.append(("notify", *lines))


class Scene:
    """A worker that writes down what its end does to it, and when. Its jobs run until the test ends them."""

    def __init__(self) -> None:
        self.calls: list[Any] = []
        self.failures: list[tuple[str, str]] = []
        self.jobs_ended = asyncio.Event()
        self.breaks: str | None = None
        """The step that fails."""
        self.shutdown = Shutdown(
            TIMEOUT,
            Notifier(self.calls),  # type: ignore[arg-type]  # what is used of it
            lambda name, error: self.failures.append((name, str(error))),
        )

    def stop_polling(self) -> None:
        self.calls.append("stop polling")

    def kill_jobs(self) -> None:
        self.calls.append(("kill jobs", elapsed()))

    async def wait_for_jobs(self) -> None:
        self.fail_at("wait")
        await self.jobs_ended.wait()

    async def deliver_rest(self) -> None:
        self.calls.append("deliver")
        self.fail_at("deliver")
        await asyncio.sleep(1.0)
        self.calls.append("delivered")

    async def unregister(self) -> None:
        self.calls.append("unregister")
        self.fail_at("unregister")

    def fail_at(self, step: str) -> None:
        if self.breaks == step:
            raise ValueError("broken")

    @property
    def acts(self) -> list[Any]:
        return [call for call in self.calls if call[0] != "notify"]


def after(do: Callable[[Scene], None], seconds: float = 0.0, *, starting: bool = False) -> Scene:
    """Do something to a worker that works, or that is `starting`, and let time pass."""

    async def live() -> Scene:
        scene = Scene()
        if starting:
            do(scene)
        working = asyncio.ensure_future(scene.shutdown.work(scene))
        await asyncio.sleep(0)
        if not starting:
            do(scene)
        await asyncio.sleep(seconds)
        scene.calls += ["over"] if working.done() else []
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
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
        (
            "notify",
            "STOPPING=1",
            "EXTEND_TIMEOUT_USEC=120000000",
            "STATUS=stopping, at most 30 s for running jobs",
        ),
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
        scene.jobs_ended.set()

    assert after(do, 10 * TIMEOUT).acts == [*ENDED, "over"]


def test_a_third_signal_leaves_at_once_with_130(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    codes: list[int] = []
    monkeypatch.setattr(os, "_exit", codes.append)
    after(signalled(3))
    assert codes == [130]
    assert (
        capfd.readouterr().err
        == "supervisor: SIGTERM. The worker ends at once. The next start reports the jobs that were interrupted.\n"
    )


def test_each_signal_says_what_it_does(caplog: pytest.LogCaptureFixture) -> None:
    after(signalled(2))
    assert [record.levelname for record in records_of(caplog, StopSignalled)] == ["WARNING"] * 2
    first, second = told(caplog, StopSignalled)
    assert first["signal"] == second["signal"] == "SIGTERM"
    assert first["consequence"] == (
        "The worker stops. It takes no new jobs, and running ones have 30 s to end. Another signal kills them."
    )
    assert second["consequence"] == (
        "The worker stops now. It kills running jobs and reports them. Another signal ends it at once."
    )


def test_a_fourth_signal_has_nothing_to_announce(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(os, "_exit", lambda code: None)
    after(signalled(4))
    assert len(caplog.records) == len(told(caplog, StopSignalled)) == 2


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


def test_the_first_signal_after_a_failure_kills_no_job_and_the_second_does(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def do(scene: Scene) -> None:
        scene.shutdown.begin()
        signalled(1)(scene)

    assert after(do, TIMEOUT - 0.5).acts == ["stop polling"]
    (event,) = told(caplog, StopSignalled)
    assert event["consequence"] == (
        "The worker stops already. Running jobs have the rest of their time. Another signal kills them."
    )

    def do_twice(scene: Scene) -> None:
        do(scene)
        signalled(1)(scene)

    assert after(do_twice, 10 * TIMEOUT).acts == ["stop polling", ("kill jobs", 0.0)]


@pytest.mark.parametrize(
    ("signals", "acts"), [(1, ["stop polling"]), (2, ["stop polling", ("kill jobs", 0.0)])]
)
def test_a_worker_that_is_told_to_stop_while_it_starts_ends_as_soon_as_it_works(
    signals: int, acts: list[Any]
) -> None:
    def do(scene: Scene) -> None:
        signalled(signals)(scene)
        assert scene.shutdown.asked.is_set()
        assert scene.acts == []
        scene.jobs_ended.set()

    scene = after(do, 5.0, starting=True)
    assert scene.acts == [*acts, "deliver", "delivered", "unregister", "over"]


def test_one_step_of_the_end_follows_the_other_and_the_worker_may_exit_after_the_last() -> None:
    def end_jobs(scene: Scene) -> None:
        signalled(1)(scene)
        scene.jobs_ended.set()

    assert after(signalled(1), 5.0).acts == ["stop polling"], "nothing is delivered for good while jobs run"
    ended = after(end_jobs, 0.5)
    assert ended.acts == ["stop polling", "deliver"], "it leaves only when all is delivered"


@pytest.mark.parametrize(
    ("breaks", "name"),
    [
        ("wait", "wait for the last jobs"),
        ("deliver", "delivery of the last results"),
        ("unregister", "unregistration"),
    ],
)
def test_a_step_that_fails_is_told_and_the_next_one_follows(breaks: str, name: str) -> None:
    def do(scene: Scene) -> None:
        scene.breaks = breaks
        scene.jobs_ended.set()
        signalled(1)(scene)

    scene = after(do, 5.0)
    assert scene.failures == [(name, "broken")]
    assert scene.acts[-2:] == ["unregister", "over"]


def test_what_cancels_the_worker_leaves_no_step_and_no_timer() -> None:
    async def live() -> tuple[Scene, int]:
        scene = Scene()
        working = asyncio.ensure_future(scene.shutdown.work(scene))
        await asyncio.sleep(0)
        signalled(1)(scene)
        await asyncio.sleep(0)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        left = len(asyncio.all_tasks()) - 1
        await asyncio.sleep(2 * TIMEOUT)
        return scene, left

    scene, left = simulate(live())
    assert (scene.acts, left) == (["stop polling"], 0)


@pytest.mark.parametrize(
    ("how", "wanted"), [("on_signal", True), ("begin_as_wanted", True), ("begin", False)]
)
async def test_only_an_end_that_somebody_has_asked_for_is_wanted(how: str, wanted: bool) -> None:
    """What is remembered over a failure, such as a pause, is forgotten then."""
    shutdown = Scene().shutdown
    getattr(shutdown, how)(*([signal.SIGTERM] if how == "on_signal" else []))
    assert (shutdown.asked.is_set(), shutdown.wanted.is_set()) == (True, wanted)
