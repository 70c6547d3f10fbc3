"""Running the demo as a person does: as a program."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from tests.patience import wait_until

ROOT = Path(__file__).parents[4]
LONGEST_SECONDS = 50


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
        wait_until(lambda: "daemon" in last_words(process.pid), "the descendants that escape")
        yield process, psutil.Process(process.pid).children(recursive=True)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=LONGEST_SECONDS)


def last_words(pid: int) -> list[str]:
    """The last word of the command line of every process below `pid`."""
    words = []
    for process in psutil.Process(pid).children(recursive=True):
        try:
            words += process.cmdline()[-1:]
        except psutil.Error:
            continue
    return words


def alive(processes: list[psutil.Process]) -> list[str]:
    """The command lines of those that still run, after a second to vanish."""
    _, running = psutil.wait_procs(processes, timeout=1)
    found = []
    for process in running:
        try:
            if process.status() != psutil.STATUS_ZOMBIE:
                found.append(" ".join(process.cmdline()))
        except psutil.NoSuchProcess:
            continue
    return found
