"""The test's side of the job host: start one, ask it, and look at processes from outside."""

import ctypes
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from supervisor.log.event import Event
from tests.job_directories import left_by_jobs
from tests.log_events import logged
from tests.patience import PATIENCE_SECONDS

HOSTING = Path(__file__).parent
ROOT = HOSTING.parents[1]
BLOCKS = str(HOSTING / "blocks_under_test")
TESTING = "neops_testing/"
TAKES_ITS_STACK = "run_with_time_for_its_stack"
"""How a job is run whose stack is what a test is about (`do`): the worker waits a quarter of a second for it, and this
machine may keep a processor from the job for longer."""
STANDARD_SOURCES = ("blocks.testing", BLOCKS)


class Host:
    """One job host. Requests may overlap; every wait is bounded."""

    def __init__(self, directory: Path, *, prefix: tuple[str, ...] = (), **options: Any) -> None:
        self.directory = directory
        self._errors = (directory / "host.log").open("a+b")
        given = {"sources": STANDARD_SOURCES, "directory": str(directory / "jobs")} | options
        environment = os.environ | options.pop("environment", {}) | {"PYTHONPATH": str(ROOT)}
        self._spares: int = given.get("spares", 1)
        self._process = subprocess.Popen(
            [*prefix, sys.executable, str(HOSTING / "job_host.py"), json.dumps(given)],
            cwd=directory,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
        )
        self._buffer = b""
        self._number = 0
        self._answers: dict[int, dict[str, Any]] = {}
        try:
            self.hello = self._read(PATIENCE_SECONDS)
        except BaseException:
            self.kill()
            self.__exit__()
            raise
        self.pid: int = self.hello["pid"]

    @property
    def blocks(self) -> dict[str, Any]:
        """The catalogue's blocks by id."""
        return {block["id"]: block for block in self.hello["catalogue"]["blocks"]}

    @property
    def problems(self) -> list[dict[str, Any]]:
        """The catalogue's problems."""
        problems: list[dict[str, Any]] = self.hello["catalogue"]["problems"]
        return problems

    def log(self) -> str:
        """What the host itself has logged, as it is."""
        self._errors.seek(0)
        return self._errors.read().decode(errors="replace")

    def lines_of(self, *loggers: str) -> list[dict[str, Any]]:
        """What these loggers have logged in the host, as lines of JSON."""
        whole = self.log().rpartition("\n")[0]  # the last line may be half there
        lines = [json.loads(line) for line in whole.splitlines() if line.startswith("{")]
        return [line for line in lines if line["logger"] in loggers]

    def events(self, *events: type[Event]) -> list[dict[str, Any]]:
        """Such events of those that the host itself has logged, each with its facts as keys."""
        return logged(self.directory / "host.log", *events)

    def send(self, do: str, **request: Any) -> int:
        """Ask for something and return the request's number."""
        self._number += 1
        line = json.dumps({"do": do, "number": self._number, **request}) + "\n"
        try:
            self._process.stdin.write(line.encode())
            self._process.stdin.flush()
        except BrokenPipeError:
            ended = self._process.wait(PATIENCE_SECONDS)
            raise AssertionError(f"the host has ended ({ended}):\n{self.log()[-3000:]}") from None
        return self._number

    def wait(self, number: int, seconds: float = PATIENCE_SECONDS) -> dict[str, Any]:
        """Wait for the answer to a request."""
        end = time.monotonic() + seconds
        while number not in self._answers:
            answer = self._read(end - time.monotonic())
            self._answers[answer["number"]] = answer
        answer = self._answers.pop(number)
        assert "traceback" not in answer, answer["traceback"]
        return answer

    def ask(self, do: str, **request: Any) -> dict[str, Any]:
        """Send and wait."""
        return self.wait(self.send(do, **request))

    def start(self, name: str, *, do: str = "run", **request: Any) -> int:
        """Start a job of a block, `neops_testing/<name>` unless a package is given; returns its number."""
        block = name if "/" in name else TESTING + name
        return self.send(do, block=block + ":1.0.0", **request)

    def run(self, name: str, parameters: dict[str, Any] | None = None, **request: Any) -> dict[str, Any]:
        """Run a job and return what was observed."""
        return self.wait(self.start(name, parameters=parameters or {}, **request))

    def _read(self, seconds: float) -> dict[str, Any]:
        end = time.monotonic() + seconds
        while b"\n" not in self._buffer:
            readable, _, _ = select.select([self._process.stdout], [], [], max(0.0, end - time.monotonic()))
            data = os.read(self._process.stdout.fileno(), 2**20) if readable else b""
            assert data, f"no answer of the host ({'ended' if readable else 'silent'}):\n{self.log()[-3000:]}"
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def has_no_job_directory(self) -> bool:
        """Whether the directory of every job is gone; that of the last may be on its way."""
        return not left_by_jobs(self.directory / "jobs", ahead=max(1, self._spares))

    def end(self, seconds: float = PATIENCE_SECONDS) -> int:
        """Let it close everything and return its exit code."""
        self._process.stdin.close()
        return self._process.wait(seconds)

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            if self._process.poll() is None:
                self.end()
        finally:
            if self._process.poll() is None:
                self._process.kill()
            self._process.wait()
            self._process.stdin.close()  # again, unless it was killed
            self._process.stdout.close()
            self._errors.close()


@contextmanager
def hosted(directory: Path, **options: Any) -> Iterator[Host]:
    """A host for as long as the context lasts."""
    directory.mkdir(parents=True, exist_ok=True)
    with Host(directory, **options) as host:
        yield host


def told(done: dict[str, Any], event: type[Event]) -> list[dict[str, Any]]:
    """Return what the worker told of a job that `Host.run` has run: each such event, with its facts as keys."""
    return [line for line in done["lines"] if line["event"] == event.name]


def signals_are_contained() -> bool:
    """Whether this kernel can keep a job from signalling the worker (Landlock ABI 6, Linux 6.12)."""
    create_ruleset, ask_version = 444, 1
    return ctypes.CDLL(None).syscall(create_ruleset, None, 0, ask_version) >= 6


def alive_with(marker: str) -> list[str]:
    """Return `pid: command line` of every living process with `marker` on its command line."""
    found: list[str] = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        # A process is in /proc under its own number only; this one holds the marker too, in its memory.
        if marker in command and int(path.parent.name) != os.getpid():
            found.append(f"{path.parent.name}: {command}")
    return found


def is_alive(pid: int) -> bool:
    """Whether `pid` runs; a zombie does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] not in {"Z", "X"}
