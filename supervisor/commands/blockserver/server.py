"""The block server's loop: requests in, one job at a time, answers out, and nothing left at the end."""

import asyncio
import contextlib
import json
import os
import sys
from typing import Any, Final

from pydantic import ValidationError

from jobrunner.protocol import linux
from supervisor.commands.blockserver.answer import answer_of
from supervisor.commands.blockserver.block_lookup import NoSuchBlockError, choose
from supervisor.commands.blockserver.job_request import asked_in, job_of, settings_of
from supervisor.commands.blockserver.pool import LauncherPool, Sources, python_path
from supervisor.commands.blockserver.requests import REQUEST, RunRequest, StopRequest
from supervisor.commands.blockserver.single import SingleRun
from supervisor.commands.blockserver.source_names import source_for
from supervisor.errors import SupervisorError
from supervisor.process.tasks import Tasks
from supervisor.worker.signals import keeper_lost, stop_signals

LINE_CAP_BYTES: Final = 128 * 2**20
"""The longest request: the context of a job with every device of a network."""


class BlockServer:
    """Serves one caller. It writes answers to the descriptor `answers`."""

    def __init__(self, requests: asyncio.StreamReader, answers: int) -> None:
        self._requests = requests
        self._answers = answers
        self._pool = LauncherPool()
        self._one_job = asyncio.Lock()
        self._one_answer = asyncio.Lock()
        self._runs: dict[int, SingleRun] = {}
        self._tasks = Tasks()
        self._served: dict[int, asyncio.Task[None]] = {}

    async def serve(self) -> None:
        """Serve until the requests end. A running job is then ended and cleared away before this returns."""
        linux.become_subreaper()
        try:
            while line := await self._requests.readline():
                await self._take(line)
        finally:
            for number in list(self._served):
                self._stop(number)
            await self._tasks.wait()
            await self._pool.close()

    async def _take(self, line: bytes) -> None:
        try:
            request = REQUEST.validate_json(line)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            where = ".".join(map(str, first["loc"]))
            await self._answer(_id_in(line), _failure("bad_request", f"{where}: {first['msg']}"))
            return
        if isinstance(request, StopRequest):
            self._stop(request.id)
            return
        task = self._tasks.start(self._serve_one(request), f"request {request.id}")
        self._served[request.id] = task
        task.add_done_callback(lambda _: self._served.pop(request.id, None))

    def _stop(self, number: int) -> None:
        # A running job is ended with all that belongs to it. A request that waits, or imports, can be cancelled.
        if number in self._runs:
            self._runs[number].stop()
        elif number in self._served:
            self._served[number].cancel()

    async def _serve_one(self, request: RunRequest) -> None:
        try:
            async with self._one_job:
                answer = await self._run(request)
        except NoSuchBlockError as error:
            answer = _failure(
                "no_such_block", str(error), "\n".join(each.traceback for each in error.problems)
            )
        except SupervisorError as error:
            answer = _failure("not_started", str(error))
        except asyncio.CancelledError:
            answer = _failure("stopped", "It was stopped before its job began.")
        except Exception as error:
            # One request must not end the server, and its caller must not wait for ever.
            answer = _failure("internal", f"The block server failed: {type(error).__name__}: {error}")
        await self._answer(request.id, answer)

    async def _run(self, request: RunRequest) -> dict[str, Any]:
        with python_path(request.python_path):
            launcher, catalogue = await self._pool.get(_sources_of(request))
            block = choose(catalogue, request.block)
            run = SingleRun(launcher, settings_of(request))
            self._runs[request.id] = run
            try:
                return answer_of(await run.run(job_of(asked_in(request), block), block))
            finally:
                del self._runs[request.id]

    async def _answer(self, number: int | None, answer: dict[str, Any]) -> None:
        data = json.dumps({"id": number, **answer}).encode() + b"\n"
        # In a thread: a caller that does not read would hold up the loop. A caller that is gone needs no answer.
        with contextlib.suppress(BrokenPipeError):
            async with self._one_answer:
                await asyncio.to_thread(_write_all, self._answers, data)


def _sources_of(request: RunRequest) -> Sources:
    names = request.source
    if request.module is not None:
        names = (source_for(request.module.name, request.module.file),)
    return Sources(names, tuple(sys.path))


def _failure(kind: str, message: str, evidence: str = "") -> dict[str, Any]:
    return {"error": {"kind": kind, "message": message, "evidence": evidence.strip()}}


def _id_in(line: bytes) -> int | None:
    try:
        number = json.loads(line)["id"]
    except (ValueError, KeyError, TypeError):
        return None
    return number if isinstance(number, int) else None


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


async def serve_stdio(caller_pidfd: int, answers: int) -> None:
    """Serve the requests on stdin until it ends, the caller's process ends, or a signal says so.

    It also watches the caller's death, because a process that the caller forked may hold the other end of stdin open.
    PDEATHSIG is no help: it comes when the *thread* ends that started this process. And it kills, so processes of a
    running block would be left.
    """
    loop = asyncio.get_running_loop()
    requests = asyncio.StreamReader(limit=LINE_CAP_BYTES)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(requests), sys.stdin.buffer)

    def end() -> None:
        loop.remove_reader(caller_pidfd)
        requests.feed_eof()

    loop.add_reader(caller_pidfd, end)
    with stop_signals(lambda _: end()), keeper_lost(end):
        await BlockServer(requests, answers).serve()
