"""The cgroups of a whole worker: what is said of them once, what is left to others, and what goes at the end."""

import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from supervisor.log.events.processes import (
    CgroupFailed,
    CgroupsFailed,
    CgroupsFound,
    CgroupStuck,
    CgroupsUnrecorded,
    LeftoversCleared,
)
from supervisor.process.cgroups import worker as worker_module
from supervisor.process.cgroups.cgroup import WITHOUT, Tree
from supervisor.process.cgroups.detection import Detected
from supervisor.process.cgroups.identity import MARKER_VARIABLE, directory_name, identity_of
from supervisor.process.cgroups.leftovers import Cleared
from supervisor.process.cgroups.own_directories import OwnDirectory
from supervisor.process.cgroups.worker import _FALL_BACK, Cgroups, cgroups_of_worker
from tests.log_events import facts_of, names, records_of, told


@pytest.fixture(autouse=True)
def environment() -> Iterator[None]:
    """The worker's mark goes with the test."""
    before = os.environ.pop(MARKER_VARIABLE, None)
    yield
    os.environ.pop(MARKER_VARIABLE, None)
    if before is not None:
        os.environ[MARKER_VARIABLE] = before


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Any]:
    """What was called with what; `detected` and `cleared` are what is found."""
    seen: dict[str, Any] = {"order": [], "cleared": Cleared(), "detected": Detected()}
    own = [OwnDirectory(str(tmp_path / "own"), 2)]

    def note(name: str, answer: Callable[[], Any]) -> Callable[..., Any]:
        def call(*given: Any) -> Any:
            seen["order"].append(name)
            seen[name] = given
            return answer()

        return call

    monkeypatch.setattr(worker_module, "own_cgroups", lambda: own)
    monkeypatch.setattr(worker_module.leftovers, "clear", note("clear", lambda: seen["cleared"]))
    monkeypatch.setattr(worker_module.leftovers, "record", note("record", lambda: None))
    monkeypatch.setattr(worker_module, "detect", note("detect", lambda: seen["detected"]))
    monkeypatch.setattr(worker_module, "leave_to_keeper", note("leave_to_keeper", lambda: None))
    monkeypatch.setattr(worker_module, "kill_and_remove", note("kill_and_remove", lambda: (set(), True)))
    monkeypatch.setattr(Detected, "give_back", note("give_back", lambda: None))
    return seen


def with_trees(tmp_path: Path, *roles: str) -> Detected:
    return Detected((Tree(tmp_path / "tree", 2, frozenset(roles)),))


async def test_an_earlier_run_is_cleared_before_anything_is_made_and_all_goes_at_the_end(
    tmp_path: Path, calls: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    calls["detected"] = with_trees(tmp_path, "kill", "memory", "pids")
    calls["cleared"] = Cleared(killed=3)
    async with cgroups_of_worker(tmp_path, wanted=True) as cgroups:
        assert calls["order"] == ["clear", "detect", "leave_to_keeper", "record"]
        identity = identity_of(tmp_path)
        assert calls["clear"] == (tmp_path, identity, [tmp_path / "own"])
        assert calls["detect"][1:] == (directory_name(identity), {os.getpid()})
        assert calls["leave_to_keeper"] == ([tmp_path / "tree"],)
        assert calls["record"] == (tmp_path, [tmp_path / "tree"])
        assert os.environ[MARKER_VARIABLE] == identity
        one, two = cgroups.new(), cgroups.new()
        assert one is not WITHOUT
        assert one._name != two._name
    assert calls["order"][4:] == ["kill_and_remove", "give_back"]
    assert calls["kill_and_remove"][0] == tmp_path / "tree"
    assert names(caplog.records) == [LeftoversCleared.name, CgroupsFound.name]
    (cleared,), (found,) = told(caplog, LeftoversCleared), told(caplog, CgroupsFound)
    assert cleared == {"processes": 3, "cgroups": 0, "stuck": 0}
    assert found == {"cgroups": "kill, memory (v2), pids (v2)", "consequence": ""}


async def test_an_earlier_run_is_cleared_although_no_cgroups_are_wanted(
    tmp_path: Path, calls: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with cgroups_of_worker(tmp_path, wanted=False) as cgroups:
        assert calls["order"] == ["clear"]
        assert cgroups.new() is WITHOUT
        assert os.environ[MARKER_VARIABLE] == identity_of(tmp_path)
    (record,) = caplog.records
    assert record.event == CgroupsFound.name
    assert facts_of(record) == {"cgroups": "none (--cgroups off)", "consequence": _FALL_BACK}


@pytest.mark.parametrize(
    ("roles", "reasons", "found", "consequence"),
    [
        (("kill",), [], "kill", "Memory is sampled (no controller for it is offered)."),
        (("kill",), ["why"], "kill", "Memory is sampled (why)."),
        (("kill", "memory"), ["why"], "kill, memory (v2)", "Not all that there could be: why."),
        ((), ["this", "that"], "none (this; that)", _FALL_BACK),
        ((), [], "none (none is offered here)", _FALL_BACK),
    ],
)
async def test_what_is_used_and_why_not_more_is_said_in_one_line(
    tmp_path: Path,
    calls: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    roles: tuple[str, ...],
    reasons: list[str],
    found: str,
    consequence: str,
) -> None:
    caplog.set_level(logging.INFO)
    calls["detected"] = with_trees(tmp_path, *roles) if roles else Detected()
    calls["detected"].reasons.extend(reasons)
    async with cgroups_of_worker(tmp_path, wanted=True):
        (record,) = caplog.records
    assert (record.event, record.levelno) == (CgroupsFound.name, logging.INFO)
    assert facts_of(record) == {"cgroups": found, "consequence": consequence}


async def test_an_error_at_the_start_costs_the_cgroups_and_not_the_worker(
    tmp_path: Path, calls: dict[str, Any], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise PermissionError("not yours")

    monkeypatch.setattr(worker_module, "own_cgroups", fail)
    async with cgroups_of_worker(tmp_path, wanted=True) as cgroups:
        assert cgroups.new() is WITHOUT
    (record,) = caplog.records
    assert (record.event, record.levelno) == (CgroupsFailed.name, logging.WARNING)
    assert facts_of(record) == {"reason": "not yours", "consequence": _FALL_BACK}


async def test_a_list_that_can_not_be_written_costs_nothing_but_a_warning(
    tmp_path: Path, calls: dict[str, Any], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError("the disk is full")

    calls["detected"] = with_trees(tmp_path, "kill")
    monkeypatch.setattr(worker_module.leftovers, "record", fail)
    async with cgroups_of_worker(tmp_path, wanted=True) as cgroups:
        assert cgroups.new() is not WITHOUT
    (record,) = records_of(caplog, CgroupsUnrecorded)
    assert (record.levelno, facts_of(record)) == (logging.WARNING, {"reason": "the disk is full"})
    assert "by hand" in record.getMessage()


def test_the_first_complaint_is_for_the_operator_and_the_others_are_not(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    cgroups = Cgroups(Detected())
    cgroups._complain("The first.")
    cgroups._complain("The second.")
    assert [(record.levelno, record.event, facts_of(record)["reason"]) for record in caplog.records] == [
        (logging.WARNING, CgroupFailed.name, "The first."),
        (logging.DEBUG, CgroupFailed.name, "The second."),
    ]
    cgroups.close()


def test_a_cgroup_that_stays_is_said_and_everything_else_goes(
    tmp_path: Path, calls: dict[str, Any], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    removed: list[Path] = []

    def stuck(directory: Path, seconds: float) -> tuple[set[int], bool]:
        removed.append(directory)
        return {5}, False

    monkeypatch.setattr(worker_module, "kill_and_remove", stuck)
    trees = tuple(Tree(tmp_path / name, 1, frozenset()) for name in ("one", "two"))
    cgroups = Cgroups(Detected(trees))
    asked: list[str] = []
    cgroups._thread.submit(asked.append, "a child's cgroup is removed")
    cgroups.close()
    assert asked == ["a child's cgroup is removed"]
    assert removed == [tmp_path / "one", tmp_path / "two"]
    assert told(caplog, CgroupStuck) == [{"path": str(path)} for path in removed]
    assert calls["order"] == ["give_back"]
    cgroups.new().remove()  # after the end: harmless
