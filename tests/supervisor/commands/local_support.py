"""Running `supervisor local` or `dev` as a person does, with what it prints collected and every wait bounded."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from supervisor.commands.local.announcement import Announcement, running_engines
from tests.patience import PATIENCE_SECONDS, wait_until
from tests.supervisor.commands.commands_support import Done, run_here
from tests.tokens import bearer

BLOCK = """
import asyncio
from sdk import (
    FunctionBlock, FunctionBlockParams, FunctionBlockResult, FunctionBlockResultData, Registration,
    register_function_block,
)
{imports}
class Params(FunctionBlockParams):
    seconds: float = 0
    fails: bool = False
class Data(FunctionBlockResultData):
    {field}: str
@register_function_block(Registration(package="acme", name="greet", description="", run_on="global",
    fb_type="none", param_cls=Params, result_cls=Data))
class Greet(FunctionBlock[Params, Data]):
    async def run(self, params, context):
        self.logger.info("greeting")
        await asyncio.sleep(params.seconds)
        return FunctionBlockResult(success=not params.fails, message="done", data=Data({field}={value}))
"""


def write_block(file: Path, value: str = "'hello'", imports: str = "", field: str = "text") -> None:
    file.write_text(BLOCK.format(value=value, imports=imports, field=field))


class Running:
    """A command that runs. `lines` is what it printed, stdout and stderr."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def wait_for(self, pattern: str, after: int = 0, seconds: float = PATIENCE_SECONDS) -> re.Match[str]:
        """The first match in a line from number `after` on."""
        wanted = re.compile(pattern)

        def found() -> re.Match[str] | None:
            matches = (wanted.search(line) for line in self.lines[after:])
            return next((match for match in matches if match), None)

        wait_until(lambda: found() is not None, lambda: "\n".join(self.lines), seconds)
        match = found()
        assert match is not None
        return match

    def end(self, number: int = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        code = self.process.wait(PATIENCE_SECONDS)
        self._reader.join(PATIENCE_SECONDS)
        return code

    def close(self) -> None:
        self._reader.join(PATIENCE_SECONDS)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def events(self, event: str) -> list[dict[str, Any]]:
        parsed = [json.loads(line) for line in self.lines if line.startswith("{")]
        return [found for found in parsed if found["event"] == event]


@contextmanager
def running(home: Path, *arguments: str, **environment: str) -> Iterator[Running]:
    """Run the command with `home` as its working directory and its state; killed at the end if it still runs."""
    process = subprocess.Popen(
        [sys.executable, "-m", "supervisor", *arguments],
        cwd=home,
        env=clean_environment(home) | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    command = Running(process)
    try:
        yield command
    finally:
        if process.poll() is None:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(PATIENCE_SECONDS)
        process.kill()
        process.wait()
        command.close()


def clean_environment(home: Path) -> dict[str, str]:
    ours = ("NEOPS_", "URL_BLACKBOARD", "STATE_DIRECTORY", "NOTIFY_SOCKET")
    own = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return own | {"XDG_STATE_HOME": str(home / "state"), "COLUMNS": "200"}


def submit(
    home: Path, *arguments: str, stdin: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "supervisor", "submit", *arguments],
        cwd=home,
        env=clean_environment(home) | environment,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


def submit_here(home: Path, *arguments: str, **environment: str) -> Done:
    """`submit`, in this process: where what becomes of the job counts, and not how the command is started."""
    return run_here("submit", *arguments, cwd=home, environment=clean_environment(home) | environment)


def announced_in(home: Path) -> Announcement:
    """The engine that was started last with `home`."""
    found = running_engines(home / "state" / "neops-local" / "running")
    assert found, "no engine is announced"
    return found[0]


def ask(engine: Announcement, path: str, body: Any = None) -> Any:
    """Send a request to an engine that is announced, as its user may."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", **bearer(engine.token_file)}
    request = urllib.request.Request(f"{engine.url}{path}", data, headers)
    with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
        return json.load(answer)


def run_job(home: Path, block: str, **submission: Any) -> dict[str, Any]:
    """Have the engine that was started with `home` run a job, and return it with its result."""
    engine = announced_in(home)
    (job_id,) = ask(engine, "/dev/jobs", {"block": block, **submission})["jobIds"]
    job: dict[str, Any] = {}

    def is_done() -> bool:
        job.update(ask(engine, f"/dev/jobs/{job_id}"))
        return job["status"] == "pushed"

    wait_until(is_done, lambda: str(job), PATIENCE_SECONDS)
    return job


def programs_of(command: Running) -> dict[str, int]:
    """The programs beside the command, by what stands behind `-m`, and their pids."""
    # What was started is the keeper; its child is the command.
    found = {}
    for below in children_of(command.process.pid):
        for child in children_of(below):
            with contextlib.suppress(OSError):  # it has ended
                words = Path(f"/proc/{child}/cmdline").read_bytes().decode().split("\0")
                if "-m" in words:
                    found[words[words.index("-m") + 1]] = child
    return found


def children_of(pid: int) -> list[int]:
    found: list[int] = []
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            found += map(int, (thread / "children").read_text().split())
    return found


def descendants_of(pid: int) -> list[psutil.Process]:
    """All that runs below a process, known so that another one with the same number is not taken for it."""
    return psutil.Process(pid).children(recursive=True)


def is_alive(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False
