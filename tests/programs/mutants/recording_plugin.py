"""The pytest plugin that records, for each test, the lines that run in pytest's process and in those it starts."""

import json
import os
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.programs.mutants import recorder

IMPORTS = "imports"
"""The name for what runs while tests are collected."""


class RecordingPlugin:
    """Points the recorder to a new pair of files for each test, and notes how each ended."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._directory = root / recorder.DIRECTORY
        self._length = json.loads((self._directory / "layout.json").read_text())["length"]
        self.tests: list[dict[str, object]] = []
        self._unusable: set[str] = set()
        self._failed: list[str] = []
        recorder.start(str(root))
        self._begin(IMPORTS)

    def _begin(self, name: str) -> None:
        for side in ("in", "out"):
            path = self._directory / f"{name}.{side}"
            path.touch()
            os.truncate(path, self._length)
        recorder.point_to(str(self._directory / f"{name}.in"))
        # Replaced in one step: a process may start at any moment, and reads it.
        fresh = self._directory / "current.new"
        fresh.write_text(name)
        fresh.replace(self._directory / "current")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Record one test, its fixtures included."""
        name = str(len(self.tests))
        self.tests.append({"name": name, "test": item.nodeid, "seconds": 0.0})
        self._begin(name)
        return (yield)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note how long a test took, and whether it can be used: it passed, and was not skipped."""
        test = self.tests[-1]
        test["seconds"] = float(str(test["seconds"])) + report.duration
        if report.outcome != "passed":
            self._unusable.add(report.nodeid)
        if report.failed and report.nodeid not in self._failed:
            self._failed.append(report.nodeid)

    def finished(self) -> list[dict[str, object]]:
        """Return the tests that passed."""
        return [test for test in self.tests if test["test"] not in self._unusable]

    def failed(self) -> list[str]:
        """Return the tests that failed: not those that were skipped."""
        return self._failed
