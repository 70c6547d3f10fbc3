"""Folders that are called pure are not run without rights: there are such folders, and a process in them is seen."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.patience import PATIENCE_SECONDS
from tests.processes import PURE_FOLDERS, started_processes

TESTS = Path(__file__).parents[1]


def spawn() -> None:
    os.waitpid(os.posix_spawn(sys.executable, [sys.executable, "-c", ""], {}), 0)


def run() -> None:
    subprocess.run([sys.executable, "-c", ""], check=True, timeout=PATIENCE_SECONDS)


def test_every_pure_folder_holds_tests() -> None:
    assert [folder for folder in sorted(PURE_FOLDERS) if not any((TESTS / folder).glob("test_*.py"))] == []


@pytest.mark.parametrize("start", [spawn, run])
def test_a_process_that_a_pure_test_starts_is_seen(start: Callable[[], None]) -> None:
    with started_processes() as started:
        start()
    assert started


def test_nothing_is_noted_for_what_starts_no_process() -> None:
    with started_processes() as started:
        os.getpid()
    run()
    assert started == []
