"""The worker itself is killed in the middle of a change: what its next start reports, and whether a rollback works."""

import os
import signal
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import psutil

from sdk.testing import EngineThread, SupervisorProcess
from sdk.testing.devices import Faults
from sdk.testing.loop_thread import LoopThread
from tests.programs.device_faults.change_cases import ChangeCase
from tests.programs.device_faults.change_places import ios
from tests.programs.device_faults.change_running import ChangeSeen, parameters_of

_BLOCK: Final = "neops_base/configure:1.0.0"
_WAIT_SECONDS: Final = 60.0
_GONE_SECONDS: Final = 30.0

CASE: Final = ChangeCase(
    "worker killed between two lines",
    ios(Faults(command_hang="no shutdown")),
    r"This worker ended while the job ran .* the worker's log, at this job's id, says which change was under way",
    after="part",
    cause="worker_restarted",
    retryable=None,
    parameters={"change_timeout_seconds": 60},
)


def kill_worker(loop: LoopThread) -> ChangeSeen:
    """Run the case with an engine and a worker of its own."""
    with (
        tempfile.TemporaryDirectory(prefix="neops-device-faults-worker-") as name,
        EngineThread() as engine,
        CASE.place(loop) as device,
    ):
        before, parameters = device.configuration(), parameters_of(CASE)
        context = {"devices": [device.context], "deviceGroups": [], "interfaces": []}
        options: dict[str, Any] = {"run_on": "device", "entity_id": 1}
        settings: dict[str, Any] = {"function_blocks": ["blocks.devices"]}
        if engine.token_file is not None:
            settings["engine_token_file"] = engine.token_file
        worker = SupervisorProcess(engine.url, Path(name).resolve() / "supervisor", settings)
        with worker:
            job = engine.submit(_BLOCK, parameters, context, **options)
            # The log is on its way for a moment, and what kills the supervisor now would keep it from being written.
            _wait(lambda: device.configuration() != before and "sending a change of" in worker.log)
            left = _kill(worker)
            after = device.configuration()
            device.heal()
            worker.start()
            result = (engine.wait_for_result(job, _WAIT_SECONDS).result or {}).get("result", {})
            again = engine.submit(_BLOCK, parameters, context, type="rollback", **options)
            rolled_back = (engine.wait_for_result(again, _WAIT_SECONDS).result or {}).get("result", {})
            log = worker.log
        done = {
            "success": result.get("success"),
            "cause": CASE.cause if CASE.cause in log else "unknown",
            "message": result.get("message", ""),
            "retryable": result.get("retryable"),
            "body": "",
            "lines": [{"text": log}],
            "leftovers": len(left),
            "elapsed": 0.0,
        }
        return ChangeSeen(
            CASE, done, {}, before, after, None, device.configured(), rolled_back, device.configuration(),
            tuple(left), device.context["password"],
        )  # fmt: skip


def _kill(worker: SupervisorProcess) -> list[int]:
    """Kill the supervisor; return which of its processes are left when they have to be gone."""
    (supervisor,) = psutil.Process(worker.pid).children()
    processes = [supervisor, *supervisor.children(recursive=True)]
    os.kill(supervisor.pid, signal.SIGKILL)
    end = time.monotonic() + _GONE_SECONDS
    while (left := [process.pid for process in processes if _lives(process)]) and time.monotonic() < end:
        time.sleep(0.02)
    worker.wait()
    return left


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:  # it has ended between the two
        return False


def _wait(holds: Any) -> None:
    end = time.monotonic() + _WAIT_SECONDS
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError("The job has not begun its change.")
        time.sleep(0.02)
