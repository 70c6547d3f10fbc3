"""What systemd is told: READY only when a job can run, and a status that is true now."""

import asyncio
import logging
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from supervisor.log.events.processes import PollingPaused, PollingResumed
from supervisor.log.events.worker import WorkerReady
from supervisor.worker.parts import readiness_facts, status_facts
from supervisor.worker.readiness import ReadinessFacts, Reason
from supervisor.worker.status import Facts, Status, status_text
from tests.log_events import names, told

FACTS = Facts(blocks=2, worker="w-1", readiness=ReadinessFacts(slots=4))


class Scene:
    """The parts that a status looks at, and what systemd heard."""

    def __init__(self) -> None:
        self.uuid = "w-1"
        self.accepted: list[Any] = ["one", "two"]
        self.slots = 4
        self.problem: str | None = None
        self.engine_problem: str | None = None
        self.heard: list[tuple[str, ...]] = []
        self.stopping = asyncio.Event()
        self.status = Status(self, self.facts, self.stopping)

    def facts(self) -> Facts:
        readiness = ReadinessFacts(
            child_problem=self.problem, slots=self.slots, engine_problem=self.engine_problem
        )
        return Facts(len(self.accepted), self.uuid, readiness)

    def send(self, *lines: str) -> None:
        self.heard.append(lines)

    @property
    def said(self) -> str:
        """The last status."""
        return self.heard[-1][-1].removeprefix("STATUS=")

    def heard_ready(self) -> bool:
        return any("READY=1" in lines for lines in self.heard)


@pytest.fixture
async def scene(caplog: pytest.LogCaptureFixture) -> Scene:
    caplog.set_level(logging.INFO)
    return Scene()


def test_a_worker_that_works_says_what_it_offers() -> None:
    assert status_text(FACTS) == "ready. 2 block(s), 4 slot(s), worker w-1."


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"child_problem": ""}, "starting: the first child is not ready yet."),
        (
            {"child_problem": "No process is left."},
            "no job can be started, so none is asked for: No process is left.",
        ),
        ({"slots": 0}, "every slot is held by a process that can't be killed"),
        ({"engine_problem": "no answer in time"}, "the engine can't be asked for jobs: no answer in time"),
        ({"blocks_problem": "none is accepted."}, "no job is asked for: none is accepted."),
        (
            {"intake": Reason("paused", "paused by root for 60 s more")},
            "paused by root for 60 s more. 2 block(s)",
        ),
        ({"reload_problem": "It is empty."}, "The last reload was refused: It is empty."),
        (
            {"journal_in_trouble": True},
            "ready. Warning: the journal's disk does not take what has to survive the worker. 2 block(s)",
        ),
    ],
)
def test_each_status_says_what_is_wrong_and_keeps_blocks_slots_and_uuid(
    changed: dict[str, Any], words: str
) -> None:
    own = {name: each for name, each in changed.items() if name in ("reload_problem", "journal_in_trouble")}
    others = {name: each for name, each in changed.items() if name not in own}
    readiness = ReadinessFacts(**({"slots": 4} | others))
    text = status_text(Facts(2, "w-1", readiness, **own))
    assert words in text
    assert f"2 block(s), {readiness.slots} slot(s), worker w-1." in text
    assert text.startswith("ready") == bool(own)


def test_a_status_is_one_line_of_a_bounded_length() -> None:
    readiness = ReadinessFacts(child_problem="first\nsecond\x1b[31m" + "x" * 10_000)
    text = status_text(Facts(2, "w-1", readiness))
    assert text.isprintable()
    assert len(text) < 500
    assert text.endswith("worker w-1.")


async def test_a_worker_is_ready_only_when_a_job_can_run(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    scene.problem = ""
    scene.status.begin()
    assert not scene.heard_ready()
    assert scene.said.startswith("starting")
    scene.problem = "No process is left."
    scene.status.look()
    assert not scene.heard_ready()
    assert "No process is left." in scene.said
    assert told(caplog, WorkerReady) == []
    scene.problem = None
    scene.status.look()
    assert scene.heard[-1] == ("READY=1", "STATUS=ready. 2 block(s), 4 slot(s), worker w-1.")
    assert told(caplog, WorkerReady) == [{"blocks": 2, "slots": 4, "worker": "w-1"}]


async def test_a_loss_is_said_once_in_the_log_and_its_end_too(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    scene.status.begin()
    for reason in ("No process is left.", "No process is left.", "No memory is left."):
        scene.problem = reason
        scene.status.look()
    assert told(caplog, PollingPaused) == [{"reason": "No process is left."}]
    assert "No memory is left." in scene.said
    scene.problem = None
    scene.status.look()
    assert names(caplog.records)[-1] == PollingResumed.name
    assert scene.said.startswith("ready")


async def test_what_has_not_changed_is_not_sent_again(scene: Scene) -> None:
    scene.status.begin()
    before = len(scene.heard)
    for _ in range(5):
        scene.status.look()
    assert len(scene.heard) == before


async def test_a_change_that_nobody_reports_is_seen_by_itself(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("supervisor.worker.status._LOOK_SECONDS", 0.001)
    scene.status.begin()
    keeping = asyncio.ensure_future(scene.status.keep())
    scene.engine_problem = "no answer in time"
    while "no answer in time" not in scene.said:
        await asyncio.sleep(0.001)
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)


def test_systemd_is_told_of_the_journal_s_disk_also_where_no_jobs_are_asked_for() -> None:
    nothing: Any = SimpleNamespace(accepted=["one"], uuid="w-1", slots=4, problem=None, is_open=True)
    mode: Any = SimpleNamespace(mode=SimpleNamespace(value="paused"))
    paused: Any = SimpleNamespace(is_open=False, why_closed="paused by root.", state=mode)
    troubled: Any = SimpleNamespace(is_in_trouble=True)
    readiness = partial(readiness_facts, nothing, nothing, nothing, nothing, nothing, nothing, paused)
    facts = status_facts(troubled, nothing, readiness)
    assert status_text(facts).startswith("paused by root. Warning: the journal's disk does not take")


async def test_a_reload_keeps_what_the_worker_offers_and_its_refusal_is_said_until_the_next(
    scene: Scene,
) -> None:
    scene.status.begin()
    scene.status.reload_begins()
    assert scene.heard[-1][0] == "RELOADING=1"
    scene.accepted.append("three")
    scene.status.reload_ends(None)
    assert scene.heard[-1] == ("READY=1", "STATUS=ready. 3 block(s), 4 slot(s), worker w-1.")
    scene.status.reload_begins()
    scene.status.reload_ends("It is empty.")
    assert scene.heard[-1][0] == "READY=1"
    assert scene.said.endswith("worker w-1. The last reload was refused: It is empty.")
    scene.status.reload_ends(None)
    assert "refused" not in scene.said


async def test_a_reload_makes_no_worker_ready_that_can_not_run_a_job(scene: Scene) -> None:
    scene.problem = "No process is left."
    scene.status.begin()
    scene.status.reload_begins()
    scene.status.reload_ends(None)
    assert not scene.heard_ready()
    assert not any("RELOADING=1" in lines for lines in scene.heard)


async def test_a_worker_that_stops_says_nothing_more(scene: Scene) -> None:
    scene.status.begin()
    before = len(scene.heard)
    scene.stopping.set()
    scene.problem = "No process is left."
    scene.status.look()
    scene.status.reload_ends(None)
    assert len(scene.heard) == before
