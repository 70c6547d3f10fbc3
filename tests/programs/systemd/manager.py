"""The systemd that is booted for a run, and the service in it as it is shipped: how the steps drive them."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil

from sdk.devengine import DevEngine, EngineOptions
from tests.patience import until
from tests.programs.systemd.private_systemd import booted

ROOT: Final = Path(__file__).parents[3]
DEPLOY: Final = ROOT / "deploy"
SERVICE: Final = "neops-supervisor.service"
STATE: Final = "/var/lib/neops-supervisor"
PATIENCE_SECONDS: Final = 60.0

# All that differs from the unit as it is shipped: no targets of the distribution, a log to read, no waiting.
_TEST: Final = """
[Unit]
DefaultDependencies=no
[Service]
StandardError=append:/opt/log/service
ReadWritePaths=/opt/log
RestartSec=300ms
"""
# An installation as deploy/README.md makes it, of what this runs from: an interpreter in somebody's home can't be
# reached by a service's user.
_PREPARE: Final = """
mount -t tmpfs -o mode=755 none /opt
mkdir -p /opt/log /opt/python /opt/checkout /opt/neops-supervisor/bin /opt/neops-supervisor/lib /srv
mount --bind {log} /opt/log
mount --bind {base} /opt/python
mount --bind {root} /opt/checkout
mount --bind {environment}/lib /opt/neops-supervisor/lib
printf 'home = /opt/python/bin\\ninclude-system-site-packages = false\\n' >/opt/neops-supervisor/pyvenv.cfg
ln -s /opt/python/bin/{interpreter} /opt/neops-supervisor/bin/python3
printf '#!/opt/neops-supervisor/bin/python3\\nimport sys\\nfrom supervisor.cli import main\\nsys.exit(main())\\n' \\
    >/opt/neops-supervisor/bin/supervisor
chmod 755 /opt/neops-supervisor/bin/supervisor
# An interpreter with a library of its own looks for it where it was built; then by this cache. Both are in memory.
echo /opt/python/lib >/etc/ld.so.conf.d/00-python.conf
mount -t tmpfs none /var/cache
/sbin/ldconfig -X
"""
_SETTINGS: Final[Mapping[str, str]] = {
    "PYTHONPATH": "/opt/checkout",
    "PYTHONDONTWRITEBYTECODE": "1",
    "NEOPS_FUNCTION_BLOCKS": "blocks,blocks.testing,/opt/checkout/tests/programs/systemd/systemd_blocks",
    "NEOPS_MAX_CONCURRENT_JOBS": "4",
    "NEOPS_POLL_SECONDS": "0.1",
    "NEOPS_HEARTBEAT_SECONDS": "1",
    "NEOPS_SHUTDOWN_TIMEOUT_SECONDS": "2",
    "NEOPS_LOG_FORMAT": "text",
}


@dataclass(frozen=True, slots=True)
class Done:
    """A command that has ended."""

    code: int
    output: str


class Manager:
    """A booted systemd. `engine` is what its service works for."""

    def __init__(self, folder: Path, first: int, engine: DevEngine) -> None:
        self._first = first
        self.engine = engine
        self.log = folder / "log" / "service"

    async def run(self, *command: str) -> Done:
        """Run a command inside, as root, and return how it ended."""
        process = await asyncio.create_subprocess_exec(
            *("nsenter", f"--target={self._first}", "--mount", "--pid", "--uts", "--ipc", "--cgroup"),
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                output, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return Done(process.returncode or 0, output.decode(errors="replace"))

    async def shell(self, script: str) -> str:
        """Run a script inside, which must not fail, and return what it says."""
        done = await self.run("sh", "-ec", script)
        assert done.code == 0, f"{script.strip()}: {done.output.strip()}"
        return done.output

    async def systemctl(self, *words: str) -> Done:
        """Run systemctl inside."""
        return await self.run("systemctl", *words)

    async def show(self, *properties: str) -> dict[str, str]:
        """Return properties of the service."""
        shown = await self.systemctl("show", SERVICE, "--property=" + ",".join(properties))
        return dict(line.split("=", 1) for line in shown.output.splitlines() if "=" in line)

    async def until_shown(self, name: str, *values: str) -> str:
        """Wait until a property of the service has one of these values, and return it."""
        end = asyncio.get_running_loop().time() + PATIENCE_SECONDS
        while True:
            value = (await self.show(name))[name]
            if value in values:
                return value
            assert asyncio.get_running_loop().time() < end, f"{name} is {value}, not {' or '.join(values)}"
            await asyncio.sleep(0.1)

    async def until_status(self, part: str, *, is_there: bool = True) -> str:
        """Wait until the status of the service has this text in it, or no longer, and return it.

        It comes through the keeper and systemd: an answer that the worker gives itself may be faster.
        """
        end = asyncio.get_running_loop().time() + PATIENCE_SECONDS
        while (part in (status := (await self.show("StatusText"))["StatusText"])) is not is_there:
            assert asyncio.get_running_loop().time() < end, f"{part!r} is {'not ' * is_there}in {status!r}"
            await asyncio.sleep(0.1)
        return status

    async def configure(self, drop_in: str = "", **settings: str) -> None:
        """Stop the service, and have its next start use these settings, and a drop-in beside what is shipped."""
        await self.systemctl("stop", SERVICE)
        await self.systemctl("reset-failed", SERVICE)
        await self.give(**settings)
        await self.write(f"/run/systemd/system/{SERVICE}.d/50-step.conf", drop_in)
        done = await self.systemctl("daemon-reload")
        assert done.code == 0, done.output

    async def give(self, **settings: str) -> None:
        """Have the next start use these settings, also one after a crash."""
        given = {**_SETTINGS, "NEOPS_ENGINE_URL": self.engine.url, **settings}
        text = "".join(f"{name}={value}\n" for name, value in given.items())
        await self.write("/etc/neops-supervisor.env", text)

    async def start(self) -> None:
        """Start the service, which must succeed."""
        done = await self.systemctl("start", SERVICE)
        assert done.code == 0, f"{done.output} {self.said()}"

    async def result_of(self, job_id: str) -> dict[str, Any]:
        """Wait for a job's result, and return its `data` and `message`, and whether it is a success."""
        record = await self.engine.wait_for_result(job_id, PATIENCE_SECONDS)
        result = (record.result or {}).get("result") or {}
        return {**result, "success": record.result_status == "success"}

    def said(self) -> str:
        """What the service has said last."""
        return self.said_all()[-3000:]

    def said_all(self) -> str:
        """All that the service has said."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def processes(self, name: str) -> list[psutil.Process]:
        """Return the processes inside whose name is this, as this machine numbers them."""
        found = []
        for process in psutil.Process(self._first).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):  # it has ended meanwhile
                if process.name() == name:
                    found.append(process)
        return found

    def supervisor(self) -> psutil.Process:
        """Return the supervisor: the child of the keeper."""
        (keeper,) = self.processes("neops-keeper")
        (supervisor,) = keeper.children()
        return supervisor

    async def write(self, path: str, text: str) -> None:
        """Write a file inside."""
        (self.log.parent / "written").write_text(text)
        # The machine's /tmp is another one in there.
        await self.shell(f"mkdir -p $(dirname {path}) && cat /opt/log/written >{path}")


@asynccontextmanager
async def manager(folder: Path) -> AsyncIterator[Manager]:
    """Boot a systemd that has the service as it is shipped, and an engine for it."""
    log = folder / "log"
    log.mkdir()
    log.chmod(0o777)  # opened by the service's user, in its namespaces
    units = {
        SERVICE: (DEPLOY / SERVICE).read_text(),
        f"{SERVICE}.d/10-test.conf": _TEST,
    }
    prepare = _PREPARE.format(
        log=log,
        base=sys.base_prefix,
        root=ROOT,
        environment=sys.prefix,
        interpreter=os.path.basename(os.path.realpath(sys.executable)),
    )
    async with DevEngine(EngineOptions(without_token=True)) as engine:
        with booted(folder, units, prepare) as holder:
            first = await until(
                lambda: next(iter(psutil.Process(holder.pid).children()), None), "the namespaces are there"
            )
            made = Manager(folder, first.pid, engine)
            console = folder / "console"
            await until(lambda: first.name() == "systemd", f"the manager runs: see {console}")
            end = asyncio.get_running_loop().time() + PATIENCE_SECONDS
            while (done := await made.systemctl("list-units")).code != 0:
                assert asyncio.get_running_loop().time() < end, f"{done.output} {console.read_text()}"
                await asyncio.sleep(0.05)
            yield made
