"""Runs tests in a lane, each run in a fork of this process, which has imported all libraries and no code of ours.

A run then costs a tenth of a second, not the two that an interpreter with pytest and these libraries needs to start.
Reads one request a line from its input, as JSON, and answers with one line. Its input ends: it ends.
"""

import contextlib
import importlib
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from tests.programs.mutants.sandbox import run_confined

PREFIX: Final = "mutant-"
"""What the directory of a run is called, before the pid of this process: whoever kills it removes that."""

_LIBRARIES: Final = (
    "aiohttp", "aiohttp.web", "asyncssh", "blockbuster", "hypothesis", "hypothesis.stateful", "multiprocess",
    "multiprocess.context", "neops_workflow_engine_client", "netmiko", "psutil", "pydantic", "pydantic_settings",
    "pytest", "pytest_asyncio", "pytest_timeout", "rich", "rich.console", "rich.table", "sqlite3",
)  # fmt: skip
_ARGUMENTS: Final = (
    "-q", "-x", "--no-header", "--tb=no", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:randomly",
    "--hypothesis-seed=0",
)  # fmt: skip


def serve() -> None:
    """Answer requests until the input ends."""
    import_libraries()
    # Not this process's own output: a test that prints must not answer for it.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        json.dump(_answer(json.loads(line)), answers)
        answers.write("\n")
        answers.flush()


def import_libraries() -> None:
    """Import the libraries that tests use, those that are there."""
    before = set(sys.modules)
    for library in _LIBRARIES:
        with contextlib.suppress(ImportError):
            importlib.import_module(library)
    # pytest warns of what belongs to its plugins and is imported already. Some of our tests start runs of pytest in
    # which warnings are errors.
    for name in {*sys.modules} - before:
        if "." not in name:
            sys.modules[name].__doc__ = f"{sys.modules[name].__doc__ or ''}\nPYTEST_DONT_REWRITE"


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    # Short: the paths of Unix sockets below it may have 107 characters.
    directory = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
    directory.chmod(0o711)  # some tests run jobs as users of their own, who have to pass
    begun = time.monotonic()
    try:
        in_time = run_confined(lambda: _run(request, directory), request["timeout_seconds"])
        report = directory / "report.json"
        output = directory / "output"
        answer = (
            json.loads(report.read_text())
            if report.exists()
            else {"exit": None, "failed": None, "tests": [], "failed_tests": []}
        )
        if answer["exit"] != 0 and output.exists():
            answer["output"] = output.read_text(errors="replace")[-2000:]
        return {**answer, "in_time": in_time, "seconds": time.monotonic() - begun}
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _run(request: dict[str, Any], directory: Path) -> None:
    output = os.open(directory / "output", os.O_CREAT | os.O_WRONLY, 0o600)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    temporary = directory / "t"
    temporary.mkdir()
    os.environ["TMPDIR"] = tempfile.tempdir = str(temporary)
    import pytest

    report: dict[str, Any] = {"failed": None, "tests": [], "failed_tests": []}
    plugins: list[object] = [_Failures(report)]
    if request["record"]:
        from tests.programs.mutants.recording_plugin import RecordingPlugin

        recording = RecordingPlugin(Path.cwd())
        plugins.append(recording)
    arguments = [*_ARGUMENTS, f"--timeout={request['test_timeout_seconds']}", f"--basetemp={temporary / 'p'}"]
    if request["record"]:
        arguments.remove("-x")
    report["exit"] = int(pytest.main([*arguments, *request["tests"]], plugins=plugins))
    if request["record"]:
        report["tests"], report["failed_tests"] = recording.finished(), recording.failed()
    (directory / "report.json").write_text(json.dumps(report))


class _Failures:
    """Notes the first test that failed."""

    def __init__(self, report: dict[str, Any]) -> None:
        self._report = report

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed and self._report["failed"] is None:
            self._report["failed"] = report.nodeid
            self._report["why"] = str(report.longrepr)[-2000:]

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed and self._report["failed"] is None:
            self._report["failed"] = report.nodeid
            self._report["why"] = str(report.longrepr)[-2000:]


if __name__ == "__main__":
    serve()
