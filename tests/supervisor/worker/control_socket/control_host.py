"""A control server in a process of its own, as a supervisor has one: below it, processes are jobs'.

Started with a directory. Prints `ready`, then runs each command line that it reads as JSON, and prints its output.
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

from jobrunner.protocol import linux
from supervisor.worker.control_socket.known_jobs import KnownJobs
from supervisor.worker.control_socket.listener import listen_in
from supervisor.worker.control_socket.peers import Rules, admit
from supervisor.worker.control_socket.protocol import ControlError, JsonObject, Request
from supervisor.worker.control_socket.server import ControlServer

JOB_USERS = range(61000, 61004)
CONTROL_GROUP = 61700


async def echo(request: Request) -> JsonObject:
    return {"said": request.text("word"), "uid": request.peer.uid, "pid": request.peer.pid}


async def wait(_: Request) -> JsonObject:
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        print("wait was cancelled", file=sys.stderr, flush=True)
        raise
    return {}


async def count(request: Request) -> AsyncIterator[JsonObject]:
    for number in range(int(request.number("to", 3))):
        yield {"number": number, "filling": "x" * int(request.number("filling", 0))}


async def fail(_: Request) -> JsonObject:
    raise ControlError("unknown_job", "There is none.")


async def bug(_: Request) -> JsonObject:
    raise ZeroDivisionError


async def serve(directory: Path) -> None:
    linux.become_subreaper()
    listening = listen_in(directory)
    for name in ("control.sock", "control.secret"):
        os.chmod(directory / name, 0o666)  # what the file system refuses is not what is tested here
    rules = Rules(os.geteuid(), CONTROL_GROUP, JOB_USERS, {os.getpid()})
    admits = partial(admit, rules=rules, jobs=KnownJobs())
    handlers = {"echo": echo, "wait": wait, "count": count, "fail": fail, "bug": bug}
    server = ControlServer(listening.listener, listening.secret, admits, handlers)
    server.begin()
    print("ready", flush=True)
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
    while line := await reader.readline():
        started = await asyncio.create_subprocess_exec(*json.loads(line), stdout=asyncio.subprocess.PIPE)
        said, _ = await started.communicate()
        print(said.decode().strip(), flush=True)
    await server.close()
    listening.close()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
