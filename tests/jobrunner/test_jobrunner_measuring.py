"""Measuring the lines of a block, with a library that is played."""

import json
import os
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from jobrunner import child_coverage
from jobrunner.child_coverage import measured
from jobrunner.protocol.coverage import COVERAGE_VARIABLE
from tests.patience import PATIENCE_SECONDS


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is asked of the library, in order."""
    calls: list[str] = []

    class Coverage:
        def __init__(self, **_: Any) -> None:
            pass

        def __getattr__(self, name: str) -> Any:
            return lambda: calls.append(name)

    monkeypatch.setitem(sys.modules, "coverage", SimpleNamespace(Coverage=Coverage))
    asked = {"started_in": os.getcwd(), "directory": "/nowhere", "options": {}}
    monkeypatch.setenv(COVERAGE_VARIABLE, json.dumps(asked))
    return calls


def test_all_that_a_block_ran_is_saved_when_nothing_is_measured_any_more(calls: list[str]) -> None:
    """Its threads may still run, and change the data while it is written."""

    def run() -> None:
        calls.append("block")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), measured():
        run()
    now_and_then = calls[2:-2]
    assert (calls[:2], calls[-2:]) == (["start", "block"], ["stop", "save"])
    assert set(now_and_then) <= {"save"}


def test_without_being_asked_nothing_is_measured(calls: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(COVERAGE_VARIABLE)
    with measured():
        pass
    assert calls == []


class Started:
    """The library, which keeps where it was started and what it was given."""

    def __init__(self) -> None:
        self.made: list[tuple[str, dict[str, Any]]] = []
        self.saved = threading.Event()
        self.threads: list[threading.Thread] = []

    def __call__(self, **given: Any) -> "Started":
        self.made.append((os.getcwd(), given))
        return self

    def start(self) -> None:
        self.made.append((os.getcwd(), {}))

    def stop(self) -> None:
        pass

    def save(self) -> None:
        self.threads.append(threading.current_thread())
        self.saved.set()


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Started:
    library = Started()
    monkeypatch.setitem(sys.modules, "coverage", SimpleNamespace(Coverage=library))
    return library


def asked(place: Path, **options: Any) -> str:
    return json.dumps({"started_in": str(place), "directory": "/kept", "options": options})


@pytest.mark.parametrize("is_there", [True, False], ids=["", "which is gone"])
def test_paths_are_those_of_where_the_tests_were_started_and_the_job_s_directory_stays(
    library: Started, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_there: bool
) -> None:
    here = os.getcwd()
    place = tmp_path if is_there else tmp_path / "gone"
    monkeypatch.setenv(COVERAGE_VARIABLE, asked(place, branch=True))
    with measured():
        assert os.getcwd() == here
        assert COVERAGE_VARIABLE not in os.environ  # the block does not see it
    given = {"data_file": "/kept/data", "data_suffix": True, "branch": True}
    assert library.made == [
        (str(tmp_path) if is_there else here, given),
        (str(tmp_path) if is_there else here, {}),
    ]


def test_a_library_that_fails_leaves_the_job_in_its_directory(
    library: Started, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = os.getcwd()

    def broken(**_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setitem(sys.modules, "coverage", SimpleNamespace(Coverage=broken))
    monkeypatch.setenv(COVERAGE_VARIABLE, asked(tmp_path))
    with pytest.raises(ZeroDivisionError), measured():
        pass
    assert os.getcwd() == here


def test_what_runs_is_saved_meanwhile_by_a_thread_that_holds_up_no_end(
    library: Started, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A child that is killed saves nothing itself."""
    monkeypatch.setenv(COVERAGE_VARIABLE, asked(tmp_path))
    with measured():
        assert library.saved.wait(PATIENCE_SECONDS)
        saver = library.threads[0]
        assert saver is not threading.current_thread()
        assert saver.daemon
        assert saver.is_alive()
    assert not saver.is_alive()
    assert library.threads[-1] is threading.current_thread()


def test_of_what_a_killed_child_has_run_a_tenth_of_a_second_is_lost_at_most(library: Started) -> None:
    waits: list[float] = []
    over = SimpleNamespace(wait=lambda seconds: waits.append(seconds) or len(waits) > 2)
    child_coverage._save_now_and_then(library, over)
    assert waits == [0.1] * 3
    assert len(library.threads) == 2


def test_without_the_library_a_job_runs_unmeasured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "coverage", None)  # as where it is not installed
    monkeypatch.setenv(COVERAGE_VARIABLE, asked(tmp_path))
    child_coverage.prepare_measuring()
    ran = False
    with measured():
        ran = True
    assert ran


def test_the_library_is_imported_beforehand_only_where_tests_measure(monkeypatch: pytest.MonkeyPatch) -> None:
    imported: list[str] = []
    monkeypatch.setattr(child_coverage, "importlib", SimpleNamespace(import_module=imported.append))
    monkeypatch.delenv(COVERAGE_VARIABLE, raising=False)
    child_coverage.prepare_measuring()
    assert imported == []
    monkeypatch.setenv(COVERAGE_VARIABLE, "{}")
    child_coverage.prepare_measuring()
    assert imported == ["coverage"]
