"""The first process in the lab's namespaces. It builds the lab, forwards logins into it, and ends it.

`lab.py` runs it as a file: it needs only the standard library. The first line of its standard input is the order. When
that input ends, this process ends, and the kernel then kills every process of the lab: the lab is cleared away even if
its holder dies. It reports its progress on the standard output, one line of JSON for each step.
"""

import asyncio
import contextlib
import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NoReturn

LAB = Path("/run/lab")
CONNECT_SECONDS = 10.0
BANNER_SECONDS = 60.0
LOOK_SECONDS = 0.05
CHUNK_BYTES = 1 << 16
_SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG, prctl(2)


def main() -> None:
    """Build the lab and serve it until the standard input ends."""
    # `unshare` asks for this, too, but the kernel forgets it when a process enters a user namespace.
    ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    order: dict[str, Any] = json.loads(_first_line())
    try:
        _write_files(order["files"])
        _run("sh", "-e", f"{order['scripts']}/build.sh", order["management"], *order["routers"])
    except subprocess.CalledProcessError as error:
        _fail(error.stderr.strip() or str(error))
    asyncio.run(_serve(order))


def _first_line() -> bytes:
    """Read only the order: what comes after it must wake the loop."""
    line = b""
    while not line.endswith(b"\n"):
        if not (byte := os.read(0, 1)):
            sys.exit(1)
        line += byte
    return line


def _write_files(files: dict[str, str]) -> None:
    _run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
    for name, text in files.items():
        path = LAB / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o600 if name == "shadow" else 0o644)


def _run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603  # our own words


def _say(**facts: Any) -> None:
    print(json.dumps(facts), flush=True)


def _fail(reason: str) -> NoReturn:
    _say(failed=reason[-2000:])
    os._exit(1)


async def _serve(order: dict[str, Any]) -> None:
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(0, ended.set)
    begun = time.monotonic()
    tasks = [
        asyncio.create_task(_run_router(name, router, order["scripts"]))
        for name, router in order["routers"].items()
    ]
    tasks.append(asyncio.create_task(_tell_when_ready(order, begun)))
    for router in order["routers"].values():
        front = socket.socket(fileno=router["descriptor"])
        await asyncio.start_server(_forwarding_to(router["address"]), sock=front)
    await ended.wait()
    # No goodbye: when this process ends, every other process here ends.
    os._exit(0)


async def _run_router(name: str, router: dict[str, Any], scripts: str) -> None:
    """Run one router. If it ends, the lab ends."""
    own = ("--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child", "--mount-proc")
    process = await asyncio.create_subprocess_exec(
        *("ip", "netns", "exec", name, "unshare", *own),
        *("sh", "-e", f"{scripts}/router.sh", name, *router["interfaces"]),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    said = b""
    while data := await process.stderr.read(CHUNK_BYTES):
        said = (said + data)[-4096:]
    code = await process.wait()
    _fail(f"router {name} ended with exit code {code}. It said: {said.decode(errors='replace').strip()}")


async def _tell_when_ready(order: dict[str, Any], begun: float) -> None:
    await asyncio.gather(*(_until_banner(router["address"]) for router in order["routers"].values()))
    _say(ssh_seconds=time.monotonic() - begun)
    for protocol in ("ospf", "bgp"):
        wanted: list[list[str]] = order["routes"][protocol]
        await asyncio.gather(*(_until_route(router, network, protocol) for router, network in wanted))
        _say(**{f"{protocol}_seconds": time.monotonic() - begun})
    _say(ready=True)


async def _until_banner(address: str) -> None:
    while True:
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(CONNECT_SECONDS):
                reader, writer = await asyncio.open_connection(address, 22)
            try:
                # On a busy machine sshd needs seconds for it. To give up and ask again starts one more sshd each time,
                # which makes all of them slower, until sshd refuses (MaxStartups).
                async with asyncio.timeout(BANNER_SECONDS):
                    banner = await reader.read(4)
            finally:
                writer.close()
            if banner == b"SSH-":
                return
        await asyncio.sleep(LOOK_SECONDS)


async def _until_route(router: str, network: str, protocol: str) -> None:
    """Wait until the kernel of a router has a route that this protocol has given."""
    while True:
        look = ("ip", "-n", router, "route", "show", network, "proto", protocol)
        process = await asyncio.create_subprocess_exec(*look, stdout=asyncio.subprocess.PIPE)
        if (await process.communicate())[0].strip():
            return
        await asyncio.sleep(LOOK_SECONDS)


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def _forwarding_to(address: str) -> Serve:
    """Return a function that serves a connection from outside: it copies bytes to and from port 22 of this address."""

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                inner_reader, inner_writer = await asyncio.open_connection(address, 22)
        except (OSError, TimeoutError):
            writer.close()
            return
        await asyncio.gather(_copy(reader, inner_writer), _copy(inner_reader, writer))

    return forward


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    """Copy until either end is gone, and close the target then."""
    with contextlib.suppress(OSError):
        while data := await source.read(CHUNK_BYTES):
            target.write(data)
            await target.drain()
    target.close()


if __name__ == "__main__":
    main()
