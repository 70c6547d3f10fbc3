"""Running the demo as a person does: as a program."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from tests.patience import wait_until

ROOT = Path(__file__).parents[4]
LONGEST_SECONDS = 50
VANISH_SECONDS = 10.0
"""Far less than what is left alive goes on: minutes."""


@dataclass(frozen=True)
class Run:
    """A demo that has ended."""

    exit_code: int
    output: str
    messages: str
    seconds: float

    @property
    def report(self) -> dict[str, Any]:
        return json.loads(self.output)

    @property
    def rows(self) -> dict[str, dict[str, Any]]:
        return {row["job"]: row for row in self.report["rows"]}


def environment(temporary: Path, changes: Mapping[str, str] | None = None) -> dict[str, str]:
    return {**os.environ, "TMPDIR": str(temporary), **(changes or {})}


def run_demo(*arguments: str, temporary: Path, changes: Mapping[str, str] | None = None) -> Run:
    began = time.monotonic()
    ended = subprocess.run(
        [sys.executable, "-m", "supervisor", "demo", *arguments],
        cwd=ROOT,
        env=environment(temporary, changes),
        capture_output=True,
        text=True,
        timeout=LONGEST_SECONDS,
        check=False,
    )
    return Run(ended.returncode, ended.stdout, ended.stderr, time.monotonic() - began)


@contextmanager
def demo_at_work(
    temporary: Path, *arguments: str
) -> Iterator[tuple[subprocess.Popen[str], list[psutil.Process]]]:
    """Yield a demo whose misbehaving jobs run, and all processes below it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "supervisor", "demo", *arguments],
        cwd=ROOT,
        env=environment(temporary),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        wait_until(
            lambda: process.poll() is not None or "daemon" in last_words(process.pid),
            "the descendants that escape",
        )
        assert process.poll() is None, process.communicate()
        yield process, psutil.Process(process.pid).children(recursive=True)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=LONGEST_SECONDS)


def last_words(pid: int) -> list[str]:
    """The last word of the command line of every process below `pid`."""
    return [
        word for process in psutil.Process(pid).children(recursive=True) for word in words_of(process)[-1:]
    ]


def words_of(process: psutil.Process) -> list[str]:
    """Its command line; nothing where it has ended meanwhile."""
    with suppress(psutil.Error):
        return process.cmdline()
    return []


def alive(processes: list[psutil.Process]) -> list[str]:
    """The command lines of those that still run when there was time enough: what is killed needs a processor to end."""
    end = time.monotonic() + VANISH_SECONDS
    while (found := _running(processes)) and time.monotonic() < end:
        time.sleep(0.02)
    return found


def _running(processes: list[psutil.Process]) -> list[str]:
    found = []
    for process in processes:
        # Its number may be another's by now.
        with suppress(psutil.NoSuchProcess):
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(" ".join(process.cmdline()))
    return found
