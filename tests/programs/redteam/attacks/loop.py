"""Attacks by what the loop might wait for: a terminal, whoever reads the log, a file of settings."""

import asyncio
import contextlib
import os
import pty
import signal
import sys
import termios
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from supervisor.commands.demo.environment import program_environment
from tests.faults.programs import Worker
from tests.programs.redteam.attack import BrokenError, attack, check, wait_until
from tests.programs.redteam.scene import Scene, events_of

LITTER: Final = "neops_redteam/litter:1.0.0"


@attack("R7", "a job sets TOSTOP on the worker's terminal")
async def tostop(scene: Scene) -> str:
    master, slave = pty.openpty()
    terminal = os.ttyname(slave)
    try:
        async with scene.worker() as worker:
            pass  # for its flags
        streams = {"stdin": slave, "stdout": slave, "stderr": slave}
        async with (
            read_all(master) as said,
            by_hand(worker, "setsid", "--ctty", "--wait", **streams) as process,
        ):
            await wait_until(lambda: b"The worker is ready" in said, "the start")
            scene.attack_begun = time.monotonic()
            await run(scene, kind="tostop", path=terminal)
            check(
                termios.tcgetattr(slave)[3] & termios.TOSTOP, "the job could not set it: this shows nothing"
            )
            await run(scene, kind="lines", number=20)
            # The result does not wait for the lines, nor they for it.
            await wait_until(lambda: said.count(b"x" * 500) == 20, "the arrival of 20 lines, each once")
            os.write(master, b"\x1a")  # Ctrl-Z
            await run(scene, kind="lines", number=1)
            scene.attack_ended = time.monotonic()
            os.write(master, b"\x03")  # Ctrl-C
            async with asyncio.timeout(20):
                await process.wait()
    finally:
        os.close(master)
        os.close(slave)
    return "jobs went on, Ctrl-Z stopped nothing, and Ctrl-C ended the worker"


@attack("R8", "whoever reads the log stops reading", pings=False)
async def log_reader_stops(scene: Scene) -> str:
    async with scene.worker() as worker:
        pass  # for its flags
    took = []
    for signals in (1, 3):
        reading, writing = os.pipe()
        try:
            async with by_hand(worker, stdout=writing, stderr=writing) as process:
                await run(scene, kind="lines", number=400)  # more than a pipe takes
                asked = time.monotonic()
                for _ in range(signals):
                    process.send_signal(signal.SIGTERM)
                    await asyncio.sleep(0.1)
                try:
                    async with asyncio.timeout(20):
                        await process.wait()
                except TimeoutError:
                    raise BrokenError(f"the worker still ran 20 s after {signals} signal(s)") from None
                took.append(time.monotonic() - asked)
        finally:
            os.close(reading)
            os.close(writing)
    return f"ended {took[0]:.1f} s after SIGTERM, {took[1]:.1f} s after three"


@attack("R14", ".env becomes a named pipe, then SIGHUP")
async def pipe_for_settings(scene: Scene) -> str:
    async with scene.worker() as worker:
        os.mkfifo(worker.temporary.parent / ".env")
        worker.signal(signal.SIGHUP)
        await wait_until(lambda: "reload_refused" in names_of(worker), "the refusal of the reload")
        (refused,) = (event for event in events_of(worker) if event.get("event") == "reload_refused")
        check("it is a named pipe" in refused["reason"], f"it says: {refused['reason']}")
        await run(scene, kind="wait")
        asked = time.monotonic()
        worker.signal(signal.SIGTERM)
        code = await worker.ended(20.0)
        check(code == 0, f"the worker ended with {code}")
        return f"the reload was refused in words, and SIGTERM took {time.monotonic() - asked:.1f} s"


async def run(scene: Scene, **parameters: object) -> None:
    """Run a job that must succeed."""
    result = await scene.result_of(await scene.submit(LITTER, parameters))
    check(result["success"], f"a job failed: {result['message']}")


def names_of(worker: Worker) -> list[str]:
    """Return the names of all events in a worker's log."""
    return [str(event.get("event")) for event in events_of(worker)]


@asynccontextmanager
async def by_hand(worker: Worker, *prefix: str, **streams: int) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a worker that has ended once more, with streams of the attack's own."""
    process = await asyncio.create_subprocess_exec(
        *prefix, sys.executable, "-m", "supervisor", *worker.flags,
        env=program_environment(os.environ, "faults") | {"TMPDIR": str(worker.temporary)},
        cwd=worker.temporary.parent, **{"stdin": asyncio.subprocess.DEVNULL, **streams},
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        await process.wait()


@asynccontextmanager
async def read_all(descriptor: int) -> AsyncIterator[bytearray]:
    """Read what comes on a terminal; the text grows meanwhile."""
    said = bytearray()
    loop = asyncio.get_running_loop()

    def read() -> None:
        with contextlib.suppress(OSError):
            said.extend(os.read(descriptor, 65536))

    loop.add_reader(descriptor, read)
    try:
        yield said
    finally:
        loop.remove_reader(descriptor)
