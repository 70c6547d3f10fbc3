"""A program that `local` keeps running, and how its ends are told."""

import asyncio
import os
import re
from pathlib import Path
from typing import Final

import pytest

from supervisor.commands.local.kept_program import KeptProgram
from supervisor.commands.shared.program import Program, path_of_our_code
from tests.patience import until

BOUND_SECONDS: Final = 50.0


@pytest.mark.parametrize(
    ("end", "told"),
    [
        ("os.kill(os.getpid(), 9)", "by SIGKILL"),
        ("os.kill(os.getpid(), 40)", "by SIGRTMIN+6"),
        ("os._exit(3)", "exit code 3"),
    ],
)
async def test_a_program_that_ends_is_started_again_whatever_ended_it(
    tmp_path: Path, end: str, told: str
) -> None:
    """The first run ends as `end` says, once it is ready, and the second stays."""
    (tmp_path / "kept.py").write_text(
        f"import os, pathlib, time\nprint('ready', flush=True)\nonce = pathlib.Path('once')\n"
        f"if not once.exists():\n    once.touch()\n    {end}\ntime.sleep(600)\n"
    )
    readings: asyncio.Queue[re.Match[str]] = asyncio.Queue()
    said: list[str] = []

    async def start() -> Program:
        environment = os.environ | path_of_our_code(os.environ)
        return await Program.start(
            "thing", ["kept"], environment=environment, directory=tmp_path, on_line=lambda *_: None
        )

    kept = KeptProgram(
        "thing",
        start,
        ready="ready",
        ready_seconds=BOUND_SECONDS,
        on_ready=readings.put_nowait,
        say=said.append,
    )
    kept.begin_in_any_case()
    try:
        for _ in range(2):
            await asyncio.wait_for(readings.get(), BOUND_SECONDS)
    finally:
        await kept.stop(1.0)
    (line,) = said
    assert line.startswith(f"The thing ended ({told}). It is started again in ")


async def test_that_a_program_is_ended_as_it_was_not_ready_in_time_is_told(tmp_path: Path) -> None:
    (tmp_path / "silent.py").write_text("import time\ntime.sleep(600)\n")
    said: list[str] = []

    async def start() -> Program:
        environment = os.environ | path_of_our_code(os.environ)
        return await Program.start(
            "thing", ["silent"], environment=environment, directory=tmp_path, on_line=lambda *_: None
        )

    def ready(_: re.Match[str]) -> None:
        said.append("ready")

    kept = KeptProgram("thing", start, ready="ready", ready_seconds=0.1, on_ready=ready, say=said.append)
    kept.begin_in_any_case()
    try:
        await until(lambda: len(said) > 1, "its end is told")
    finally:
        await kept.stop(1.0)
    assert said[0] == "The thing was not ready within 0.1 s."
