"""How blocks run programs."""

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

import psutil
import pytest
from blocks_support import assert_ended, running_with, unique_seconds

from blocks.programs import Completed, Pipe, run_program
from tests.patience import PATIENCE_SECONDS, until

PATH = os.environ["PATH"]


async def shell(script: str, *, timeout_seconds: float = PATIENCE_SECONDS, **settings: int) -> Completed:
    return await run_program(
        ["sh", "-c", script], timeout_seconds=timeout_seconds, env={"PATH": PATH}, **settings
    )


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


async def test_output_error_output_and_exit_code_come_apart() -> None:
    completed = await shell("echo out; echo err >&2; exit 7")
    assert (completed.exit_code, completed.timed_out) == (7, False)
    assert (completed.stdout.text, completed.stderr.text) == ("out\n", "err\n")


async def test_the_input_is_given_whole_and_ends() -> None:
    data = os.urandom(200_000)
    completed = await run_program(
        ["wc", "-c"], timeout_seconds=PATIENCE_SECONDS, env={"PATH": PATH}, stdin=data
    )
    assert completed.stdout.text.strip() == str(len(data))


async def test_a_program_that_does_not_read_its_input_breaks_nothing() -> None:
    completed = await run_program(
        ["true"], timeout_seconds=PATIENCE_SECONDS, env={"PATH": PATH}, stdin=bytes(1_000_000)
    )
    assert completed.exit_code == 0


async def test_output_over_the_cap_is_dropped_but_read() -> None:
    completed = await shell("head -c 3000000 /dev/zero; echo end >&2", cap_bytes=1000)
    assert (len(completed.stdout.data), completed.stdout.truncated) == (1000, True)
    assert (completed.stderr.text, completed.stderr.truncated) == ("end\n", False)


async def test_output_of_exactly_the_cap_is_not_called_truncated() -> None:
    completed = await shell("printf 1234", cap_bytes=4)
    assert (completed.stdout.data, completed.stdout.truncated) == (b"1234", False)


async def test_output_that_is_no_utf_8_is_shown_with_replacements() -> None:
    completed = await shell(r"printf 'a\377b'")
    assert completed.stdout.text == "a\N{REPLACEMENT CHARACTER}b"


async def test_the_environment_is_the_given_one_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEOPS_SECRET", "hidden")
    assert "hidden" not in (await shell("env")).stdout.text


async def test_the_time_limit_kills_the_whole_group() -> None:
    started, seconds = time.monotonic(), unique_seconds()
    completed = await shell(f"sleep {seconds} & sleep {seconds}; echo never", timeout_seconds=0.3)
    await assert_ended(seconds)
    assert (completed.timed_out, completed.exit_code, completed.stdout.text) == (True, -signal.SIGKILL, "")
    assert time.monotonic() - started < PATIENCE_SECONDS


async def test_cancellation_kills_the_whole_group_and_closes_every_descriptor() -> None:
    # The first one opens what asyncio itself keeps for programs.
    await shell("true")
    before = open_descriptors()
    seconds = unique_seconds()
    running = asyncio.create_task(shell(f"sleep {seconds} & sleep {seconds}; true"))
    await until(lambda: len(running_with(seconds)) == 3)  # the shell and both sleeps
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await assert_ended(seconds)
    await until(lambda: open_descriptors() == before)


async def test_a_daemon_that_keeps_the_pipes_does_not_hold_the_block(tmp_path: Path) -> None:
    left = tmp_path / "left"
    told = f"print(os.getpid(), flush=True); os.setsid(); open('{left}', 'w').close()"
    daemon = f'"{sys.executable}" -c "import os, time; {told}; time.sleep(600)"'
    completed = await run_program(
        ["sh", "-c", f'{daemon} & echo done; until [ -e "{left}" ]; do sleep 0.05; done'],
        timeout_seconds=PATIENCE_SECONDS,
        env={"PATH": PATH},
    )
    words = completed.stdout.text.split()
    words.remove("done")
    psutil.Process(int(words[0])).kill()  # raises if the daemon has not outlived the block's wait for it
    assert (completed.exit_code, completed.timed_out) == (0, False)


async def test_a_missing_program_is_told_and_leaves_no_descriptor_open() -> None:
    await shell("true")
    before = open_descriptors()
    with pytest.raises(FileNotFoundError):
        await run_program(["no-such-program"], timeout_seconds=1, env={"PATH": PATH})
    await until(lambda: open_descriptors() == before)


async def test_a_further_pipe_carries_what_the_program_writes_to_it() -> None:
    pipe = Pipe(100)
    source = f"import os; os.write({pipe.writer}, b'aside'); print('out')"
    completed = await run_program(
        [sys.executable, "-c", source],
        timeout_seconds=PATIENCE_SECONDS,
        env={"PATH": PATH},
        further_pipe=pipe,
    )
    assert (completed.stdout.text, pipe.output().data) == ("out\n", b"aside")
