"""The points at which a supervisor can be killed: set into its process by this test, not into its code.

A point is the n-th time of a step and a moment in it, such as `result #1: before it is sent`. Steps that repeat for as
long as the worker runs are points only for their first times, so that each run has the same ones.
"""

import asyncio
import os
import re
import signal
import sqlite3
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import aiohttp

from supervisor.job.execution import Execution
from supervisor.launcher import SparePool
from tests.faults.proxy import route_of

_REPEATING: Final = {"poll": 3, "ping": 2}
_LISTED: Final = re.compile(
    r"(INSERT INTO|UPDATE|DELETE FROM|CREATE TABLE|REPLACE INTO)\s+(\w+)(\s+SET\s+\w+)?"
)


class Points:
    """Counts what is reached; kills this process at the chosen point, and lists all of them where asked to."""

    def __init__(self, kill_at: str, list_file: Path | None) -> None:
        self._kill_at = kill_at
        self._list_file = list_file
        self._reached: Counter[str] = Counter()

    def begin(self, step: str) -> str:
        """Count a step and return its name, "" for one that repeats too often to be a point."""
        self._reached[step] += 1
        number = self._reached[step]
        return "" if number > _REPEATING.get(step, 1000) else f"{step} #{number}"

    def reach(self, step: str, moment: str) -> None:
        """Be at a point."""
        if not step:
            return
        name = f"{step}: {moment}"
        if self._list_file is not None:
            with self._list_file.open("a") as file:
                file.write(f"{name}\n")
        if name == self._kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
            signal.pause()


def set_points(points: Points) -> None:
    """Wrap everything by which something becomes known: the journal, the engine, and what starts a job."""
    _wrap_sqlite(points)
    _wrap_requests(points)
    _wrap_directories(points)
    _wrap_calls(points)


def _wrap_sqlite(points: Points) -> None:
    connect = sqlite3.connect

    class Connection(sqlite3.Connection):
        """Each statement that writes is a step, with the moments of its transaction, which it may share, or be."""

        _steps: tuple[str, ...] = ()

        def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
            word = sql.split(maxsplit=1)[0].upper() if sql.strip() else ""
            is_alone = not self.in_transaction
            if found := _LISTED.search(sql):
                step = points.begin("journal: " + " ".join(found[0].split()))
                points.reach(step, "before it is written")
                self._steps += (step,)
            for step in self._steps if word == "COMMIT" else ():
                points.reach(step, "written, before the commit")
            cursor = super().execute(sql, *parameters)
            if word in ("COMMIT", "ROLLBACK") or (is_alone and self._steps):
                steps, self._steps = self._steps, ()
                for step in steps:
                    points.reach(step, "after the rollback" if word == "ROLLBACK" else "after the commit")
            return cursor

    def connect_with_points(*arguments: Any, **options: Any) -> sqlite3.Connection:
        return connect(*arguments, **{"factory": Connection, **options})

    sqlite3.connect = connect_with_points  # type: ignore[assignment]


def _wrap_requests(points: Points) -> None:
    request = aiohttp.ClientSession._request
    release = aiohttp.ClientResponse.release
    steps: dict[int, str] = {}

    async def request_with_points(
        self: aiohttp.ClientSession, method: str, url: Any, **options: Any
    ) -> aiohttp.ClientResponse:
        path = "/" + str(url).split("/", 3)[3]
        step = points.begin(
            route_of(path.partition("?")[0]) or f"{method} {re.sub(r'[0-9a-f-]{36}', 'ID', path)}"
        )
        points.reach(step, "before it is sent")
        response = await request(self, method, url, **options)
        points.reach(step, "handled by the engine, its answer not read")
        steps[id(response)] = step
        return response

    def release_with_points(self: aiohttp.ClientResponse) -> Any:
        points.reach(steps.pop(id(self), ""), "its answer read")
        return release(self)

    aiohttp.ClientSession._request = request_with_points  # type: ignore[method-assign]
    aiohttp.ClientResponse.release = release_with_points  # type: ignore[method-assign]


def _wrap_directories(points: Points) -> None:
    mkdir = os.mkdir

    def mkdir_with_points(path: Any, *arguments: Any, **options: Any) -> None:
        step = points.begin("job directory") if re.search(r"/jobs/[^/]+$", os.fspath(path)) else ""
        points.reach(step, "before it is made")
        mkdir(path, *arguments, **options)
        points.reach(step, "made")

    os.mkdir = mkdir_with_points


def _wrap_calls(points: Points) -> None:
    def wrapped(call: Callable[..., Any], step_name: str, before: str, after: str) -> Callable[..., Any]:
        async def with_points(*arguments: Any, **options: Any) -> Any:
            step = points.begin(step_name)
            points.reach(step, before)
            result = await call(*arguments, **options)
            points.reach(step, after)
            return result

        assert asyncio.iscoroutinefunction(call)
        return with_points

    SparePool.take = wrapped(SparePool.take, "spare", "before it is taken", "taken")  # type: ignore[method-assign]
    Execution.run = wrapped(  # type: ignore[method-assign]
        Execution.run, "job", "before its payload is sent", "over, its verdict not written"
    )
