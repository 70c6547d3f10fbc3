"""Run one program to its end, its time limit or the cancellation of the block."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from blocks.programs.pipes import Output, Pipe

# How long to read on after the program's end: a daemon that the program left may hold the pipes for ever.
_DRAIN_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Completed:
    """How a program ended. If a signal ended it, `exit_code` is the negative number of that signal."""

    exit_code: int
    timed_out: bool
    stdout: Output
    stderr: Output


async def run_program(
    arguments: Sequence[str],
    *,
    timeout_seconds: float,
    env: Mapping[str, str],
    stdin: bytes = b"",
    cap_bytes: int = 65_536,
    further_pipe: Pipe | None = None,
) -> Completed:
    """Run a program without a shell, in a process group of its own, and return how it ended.

    On the time limit and on cancellation, this kills the whole group and waits for the program. The worker clears away
    what the program moved to another session. The program inherits the descriptor of `further_pipe`; the pipe is closed
    at the end, and its output stays readable.

    Raises:
        OSError: the program can't be started (`FileNotFoundError`: no program has that name).
        asyncio.CancelledError: after the program has ended.
    """
    stdout, stderr = Pipe(cap_bytes), Pipe(cap_bytes)
    inherited = [] if further_pipe is None else [further_pipe]
    with _closing([stdout, stderr, *inherited]) as pipes:
        for pipe in pipes:
            await pipe.connect()
        with _as_file(stdin) as stdin_descriptor:
            process = await asyncio.create_subprocess_exec(
                *arguments,
                stdin=stdin_descriptor,
                stdout=stdout.writer,
                stderr=stderr.writer,
                pass_fds=[pipe.writer for pipe in inherited],
                env=dict(env),
                start_new_session=True,
            )
        for pipe in pipes:
            pipe.close_writer()
        timed_out = await _wait(process, timeout_seconds)
        await _drain(pipes)
    assert process.returncode is not None
    return Completed(process.returncode, timed_out, stdout.output(), stderr.output())


async def _wait(process: asyncio.subprocess.Process, timeout_seconds: float) -> bool:
    """Wait for the end; return True if the time limit caused it."""
    try:
        async with asyncio.timeout(timeout_seconds):
            await process.wait()
    except TimeoutError:
        return True
    else:
        return False
    finally:
        if process.returncode is None:
            # The leader of the group is not reaped yet, so the number still belongs to this group.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


async def _drain(pipes: Sequence[Pipe]) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_DRAIN_SECONDS):
            await asyncio.gather(*(pipe.wait_end() for pipe in pipes))


@contextlib.contextmanager
def _closing(pipes: list[Pipe]) -> Iterator[list[Pipe]]:
    try:
        yield pipes
    finally:
        for pipe in pipes:
            pipe.close()


@contextlib.contextmanager
def _as_file(content: bytes) -> Iterator[int]:
    # A file in memory, not a pipe: nobody has to feed it, and nothing breaks if the program does not read.
    with os.fdopen(os.memfd_create("stdin"), "w+b") as file:
        file.write(content)
        file.flush()
        file.seek(0)
        yield file.fileno()
