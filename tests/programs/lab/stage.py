"""Engine, worker and routers, and how a step has a job run on one of these."""

import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sdk.testing import EngineThread, SupervisorProcess
from sdk.testing.frr_lab import FrrDevice, FrrLab

JOB_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Stage:
    """What runs while the steps do. `started_seconds` is when the lab's routers had what: `ssh`, `ospf`, `bgp`."""

    engine: EngineThread
    routers: Sequence[FrrDevice]
    started_seconds: Mapping[str, float]
    options: "Options"

    def job(
        self,
        block: str,
        parameters: Mapping[str, Any],
        *devices: FrrDevice | Mapping[str, Any],
        **options: Any,
    ) -> "Done":
        """Have the worker run a job on the first of `devices`, and return what the engine got."""
        entities = [
            device.to_neops_device() if isinstance(device, FrrDevice) else device for device in devices
        ]
        context = {"devices": entities, "deviceGroups": [], "interfaces": []}
        asked = {"run_on": "device", "entity_id": entities[0]["id"], **options}
        begun = time.monotonic()
        record = self.engine.wait_for_result(
            self.engine.submit(block, parameters, context, **asked), JOB_SECONDS
        )
        result: dict[str, Any] = (record.result or {}).get("result", {})
        return Done(result, record.result or {}, time.monotonic() - begun)


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asked for."""

    starts: int = 3


@dataclass(frozen=True, slots=True)
class Done:
    """A job's result as the engine has it; `sent` is all that the worker has sent, updates too."""

    result: Mapping[str, Any]
    sent: Mapping[str, Any]
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
            yield Stage(engine, routers, lab.seconds, options)
