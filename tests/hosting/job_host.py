"""A worker without an engine, in a process of its own: it runs what a test asks for and answers in JSON lines.

A test process must not be a subreaper and must not sweep: it would take pytest's other children for leftovers.
"""

import asyncio
import contextlib
import json
import logging
import os
import sys
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from host_jobs import JobRecorder, run_job
from host_scenarios import SCENARIOS

from jobrunner.protocol import linux
from jobrunner.protocol.confinement import Confinement
from jobrunner.protocol.entry import Discovery
from jobrunner.protocol.isolation import FileRules, Isolation
from supervisor.job.runner import JobRunner
from supervisor.launcher import Imports
from supervisor.launcher.confinement import ConfinementPool
from supervisor.launcher.environment import job_environment
from supervisor.launcher.job_users import JobUsers
from supervisor.launcher.spawn_launcher import SpawnLauncher
from supervisor.launcher.template import TemplateLauncher
from supervisor.log.format import JsonLine
from supervisor.process.cgroups.worker import Cgroups, cgroups_of_worker
from supervisor.settings.run_settings import RunSettings
from supervisor.worker.isolation import isolation_of
from supervisor.worker.offered_blocks import start_launcher

Action = Callable[["Host", dict[str, Any]], Awaitable[dict[str, Any]]]


class Host:
    """The launcher and the job runner under test."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.options = options
        self.recorder = JobRecorder()
        self.sources: tuple[str, ...] = tuple(options["sources"])
        self.cgroups: Cgroups | None = None
        self.environment = job_environment(os.environ, frozenset(options.get("job_env", ())))

    async def start(self) -> None:
        """Import the blocks; `limits` of the options are changes to `RunSettings`."""
        import_seconds = self.options.get("import_seconds", 30.0)
        if self.options.get("by_settings"):
            settings = RunSettings(function_blocks=list(self.sources), import_seconds=import_seconds)
            self.launcher, self.catalogue = await start_launcher(settings)
        else:
            kind = SpawnLauncher if self.options.get("spawn") else TemplateLauncher
            confinement = Confinement(**self.options.get("confinement", {}))
            isolation = self.isolation()
            imports = Imports(
                Discovery(self.sources), self.environment, import_seconds, confinement, isolation
            )
            self.launcher = kind(imports, self.confinement_pool())
            self.catalogue = await self.launcher.start()
        # None: nothing is counted, unless a test asks for it.
        limits = {"max_job_seconds": 20.0, "grace_seconds": 0.3, "max_job_processes": None}
        limits |= self.options.get("limits", {})
        self.settings = RunSettings.model_construct(**limits)
        directory = Path(self.options["directory"])
        self.runner = JobRunner(
            self.launcher,
            self.settings,
            directory,
            spares=self.options.get("spares", 1),
            cgroups=self.cgroups,
        )
        await self.runner.prepare()

    def isolation(self) -> Isolation:
        """`isolation` of the options is the fields of `Isolation`; without it jobs are kept apart as by default."""
        if (given := self.options.get("isolation")) is None:
            return isolation_of(RunSettings(function_blocks=list(self.sources)))
        files = FileRules(**given.get("files", {}))
        return Isolation(**(given | {"files": files}))

    def confinement_pool(self) -> ConfinementPool:
        """`users` of the options is a first and a last number."""
        users = self.options.get("users")
        return ConfinementPool(JobUsers(range(users[0], users[1] + 1)) if users else None)

    async def close(self) -> None:
        """End everything that was started."""
        await self.runner.close()
        await self.launcher.close()


async def answer(host: Host, request: dict[str, Any]) -> None:
    """Do what `request` asks for and print one line."""
    try:
        action = run_job if request["do"] == "run" else SCENARIOS[request["do"]]
        result = await action(host, request)
    except BaseException:
        result = {"traceback": traceback.format_exc()}
    print(json.dumps({"number": request["number"], **result}), flush=True)


async def main() -> None:
    linux.die_with_parent()
    linux.become_subreaper()
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLine())
    logging.basicConfig(level=logging.DEBUG, handlers=[handler])
    logging.getLogger("asyncio").setLevel(logging.WARNING)
    host = Host(json.loads(sys.argv[1]))
    async with contextlib.AsyncExitStack() as stack:
        if host.options.get("cgroups"):
            state = Path(host.options["directory"]).with_name("state")
            state.mkdir(exist_ok=True)
            host.cgroups = await stack.enter_async_context(cgroups_of_worker(state, wanted=True))
        await serve(host)


async def serve(host: Host) -> None:
    for name in ("job", "supervisor.watch.joblog"):
        logging.getLogger(name).addHandler(host.recorder)
        logging.getLogger(name).propagate = False
    await host.start()
    hello = {"pid": os.getpid(), "launcher": type(host.launcher).__name__}
    print(json.dumps(hello | {"catalogue": host.catalogue.model_dump(mode="json")}), flush=True)
    requests = asyncio.StreamReader(limit=2**26)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(requests), sys.stdin
    )
    tasks: set[asyncio.Task[None]] = set()
    while line := await requests.readline():
        task = asyncio.create_task(answer(host, json.loads(line)))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    if not host.options.get("leave_without_closing"):
        await host.close()


if __name__ == "__main__":
    asyncio.run(main())
