"""Measuring the lines of a block, with a library that is played."""

import json
import os
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from jobrunner.child_coverage import measured
from jobrunner.protocol.coverage import COVERAGE_VARIABLE


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
