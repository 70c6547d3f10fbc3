"""Engine, worker and routers, and how a step has a job run on one of these."""

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil

from sdk.testing import EngineThread, SupervisorProcess
from sdk.testing.frr_lab import FrrDevice, FrrLab

JOB_SECONDS: Final = 90.0


@dataclass(frozen=True, slots=True)
class Stage:
    """What runs while the steps do. `started_seconds` is when the lab's routers had what: `ssh`, `ospf`, `bgp`."""

    engine: EngineThread
    routers: Sequence[FrrDevice]
    started_seconds: Mapping[str, float]
    holder_pid: int
    options: "Options"

    def job(
        self,
        block: str,
        parameters: Mapping[str, Any],
        device: FrrDevice | Mapping[str, Any],
        **options: Any,
    ) -> "Done":
        """Have the worker run a job on `device`, and return what the engine got."""
        return self.done(self.submit(block, parameters, device, **options))

    def submit(
        self,
        block: str,
        parameters: Mapping[str, Any],
        device: FrrDevice | Mapping[str, Any],
        **options: Any,
    ) -> str:
        """Give the engine a job on `device`, and return its id."""
        entity = device.to_neops_device() if isinstance(device, FrrDevice) else device
        context = {"devices": [entity], "deviceGroups": [], "interfaces": []}
        asked = {"run_on": "device", "entity_id": entity["id"], **options}
        return self.engine.submit(block, parameters, context, **asked)

    def done(self, job_id: str) -> "Done":
        """Wait for the result of a job."""
        record = self.engine.wait_for_result(job_id, JOB_SECONDS)
        result: dict[str, Any] = (record.result or {}).get("result", {})
        return Done(result, (record.finished_at or 0.0) - (record.claimed_at or 0.0))

    def running_config(self, router: FrrDevice) -> str:
        """Return what FRR says of itself, asked beside all that is tested."""
        return self._inside(router, "vtysh", "-c", "show running-config")

    def logins(self, router: FrrDevice) -> int:
        """Return how many logins the router's SSH server has accepted so far."""
        return self._inside(router, "cat", "/run/sshd.log").count("Accepted password for")

    def has_heard_of(self, router: FrrDevice, names: Sequence[str]) -> bool:
        """Whether the router has heard of these neighbours by LLDP, as it says itself."""
        said = self._inside(router, "lldpcli", "-f", "keyvalue", "show", "neighbors")
        return all(f".chassis.name={name}\n" in said for name in names)

    def _inside(self, router: FrrDevice, *command: str) -> str:
        users = () if os.geteuid() == 0 else ("--user", "--preserve-credentials")
        enter = ("nsenter", f"--target={self._pid_of(router)}", *users, "--mount", "--net", "--uts")
        return subprocess.run(
            [*enter, *command], check=True, capture_output=True, text=True, timeout=30
        ).stdout

    def _pid_of(self, router: FrrDevice) -> int:
        """Return a process of the router: its SSH server, which has the key of that router in its view of the files."""
        for process in psutil.Process(self.holder_pid).children(recursive=True):
            if Path("/proc", str(process.pid), "root", "run", f"{router.hostname}_host_key").exists():
                return process.pid
        raise AssertionError(f"{router.hostname} is not there any more")


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asked for."""

    starts: int = 3


@dataclass(frozen=True, slots=True)
class Done:
    """A job's result as the engine has it, and how long it took from the claim on."""

    result: Mapping[str, Any]
    seconds: float

    @property
    def data(self) -> dict[str, Any]:
        """The data of a job that must have succeeded. Raises `AssertionError`, with its message, where it has not."""
        assert self.result.get("success") is True, f"the job failed: {self.result.get('message')}"
        data: dict[str, Any] = self.result["data"]
        return data


@contextmanager
def staged(options: Options) -> Iterator[Stage]:
    """Start them all; end them when the block is left."""
    lab = FrrLab()
    with (
        tempfile.TemporaryDirectory(prefix="neops-lab-") as name,
        EngineThread() as engine,
        lab as routers,
    ):
        settings: dict[str, Any] = {"function_blocks": ["blocks"], "max_concurrent_jobs": 4}
        if engine.token_file is not None:
            settings["engine_token_file"] = engine.token_file
        with SupervisorProcess(engine.url, Path(name).resolve() / "supervisor", settings):
            yield Stage(engine, routers, lab.seconds, lab.holder_pid, options)
