"""A copy of the checkout with an environment of its own, in which files are mutated and tests run.

The checkout itself is never changed: a run that is interrupted leaves a mutant in the copy only, which the next one
brings up to date first.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from tests.programs.mutants.forkserver import PREFIX
from tests.programs.mutants.mutation import Mutant
from tests.programs.mutants.recorder import DIRECTORY

PRODUCT: Final = ("supervisor", "jobrunner", "sdk", "blocks")
_SET_UP_SECONDS: Final = 900
_REMOVALS: Final = 50
_REMOVAL_SECONDS: Final = 0.1


class Lane:
    """One copy. What runs in one lane runs one after the other; lanes run side by side."""

    def __init__(self, checkout: Path, directory: Path) -> None:
        self.checkout = checkout
        self.directory = directory
        self._server: subprocess.Popen[str] | None = None
        self._set_up: subprocess.Popen[str] | None = None
        self._is_closed = False
        self._written = 0

    def prepare(self) -> None:
        """Copy what has changed in the checkout, set the environment up, and start the server of runs.

        Raises `subprocess.CalledProcessError` when the environment can't be set up.
        """
        self._copy_files()
        # Of a run that was interrupted: the server must not record itself.
        shutil.rmtree(self.directory / DIRECTORY, ignore_errors=True)
        base = getattr(sys, "_base_executable", sys.executable)
        client = Path(sys.prefix).name.rpartition("-")[2]
        command = ["sh", "deploy/bootstrap.sh", base, client if client in ("stable", "next") else "stable"]
        find = "import sysconfig; print(sysconfig.get_path('purelib'))"
        packages = Path(self._output_of([*command, "python", "-c", find]))
        shutil.copy(self.directory / "tests/programs/mutants/recorder.py", packages / "lane_recorder.py")
        hook = f"import lane_recorder; lane_recorder.start_if_asked({str(self.directory)!r})\n"
        (packages / "lane_recorder.pth").write_text(hook)
        self._server = self._started([*command, "python", "-m", "tests.programs.mutants.forkserver"])

    def _output_of(self, command: list[str]) -> str:
        """Return what a step of the set-up prints. Raises `CalledProcessError`, also where the lane is closed."""
        self._set_up = self._started(command)
        output, _ = self._set_up.communicate(timeout=_SET_UP_SECONDS)
        if self._set_up.returncode != 0:
            raise subprocess.CalledProcessError(self._set_up.returncode, command)
        return output.strip()

    def _started(self, command: list[str]) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            command,
            cwd=self.directory, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            start_new_session=True,  # Ctrl-C is for the command, which closes its lanes
        )  # fmt: skip
        if self._is_closed:
            _kill_group(process)
        return process

    def close(self) -> None:
        """End the set-up and the server, and with it a run that is still going on."""
        self._is_closed = True
        if self._set_up is not None:
            _kill_group(self._set_up)
        if self._server is None:
            return
        _kill_group(self._server)
        for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}{self._server.pid}-*"):
            # What runs there ends with the server, by a signal that may still be on its way.
            for _ in range(_REMOVALS):
                shutil.rmtree(left, ignore_errors=True)
                if not left.exists():
                    break
                time.sleep(_REMOVAL_SECONDS)

    def _copy_files(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=self.checkout, check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
        files = {name for name in listed.split("\0") if name and (self.checkout / name).is_file()}
        for name in files:
            source, target = self.checkout / name, self.directory / name
            if not target.is_file() or target.read_bytes() != source.read_bytes():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)
        for top in (*PRODUCT, "tests", "docs", "deploy"):
            for path in (self.directory / top).rglob("*"):
                relative = path.relative_to(self.directory).as_posix()
                if path.is_file() and relative not in files and "__pycache__" not in relative:
                    path.unlink()
        # Some tests ask git what belongs to the project.
        if not (self.directory / ".git").exists():
            subprocess.run(["git", "init", "-q"], cwd=self.directory, check=True)
        subprocess.run(["git", "add", "-A"], cwd=self.directory, check=True)

    @contextlib.contextmanager
    def holding(self, mutant: Mutant) -> Iterator[None]:
        """Have the mutant in the lane's file for the length of the context."""
        path = self.directory / mutant.file
        original, times = path.read_bytes(), path.stat()
        # A time of its own for each: compiled code is taken for current when time, in seconds, and size are the same.
        self._written += 1
        try:
            path.write_bytes(mutant.applied(original))
            os.utime(path, (times.st_atime, times.st_mtime + self._written))
            yield
        finally:
            path.write_bytes(original)
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))

    @contextlib.contextmanager
    def recording(self, layout: dict[str, Any]) -> Iterator[Path]:
        """Have all processes of the lane record which lines run, into the directory that is returned."""
        directory = self.directory / DIRECTORY
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir()
        (directory / "layout.json").write_text(json.dumps(layout))
        try:
            yield directory
        finally:
            shutil.rmtree(directory)

    def run(
        self, tests: list[str], timeout_seconds: float, test_timeout_seconds: int, *, record: bool = False
    ) -> dict[str, Any]:
        """Run tests, by their node ids or files, up to the first failure (when recording: all). Returns the report."""
        assert self._server is not None
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        request = {
            "tests": tests,
            "timeout_seconds": timeout_seconds,
            "test_timeout_seconds": test_timeout_seconds,
            "record": record,
        }
        self._server.stdin.write(json.dumps(request) + "\n")
        self._server.stdin.flush()
        line = self._server.stdout.readline()
        if not line:
            raise RuntimeError(f"the server of runs in {self.directory} ended; its output above says why")
        answer: dict[str, Any] = json.loads(line)
        return answer


def _kill_group(process: subprocess.Popen[str]) -> None:
    """Kill a process, the leader of its group, with all of the group, and wait for it."""
    if process.poll() is None:  # else its number may be another's by now
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
