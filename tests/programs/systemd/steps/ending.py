"""How the service ends and comes back: killed, stopped by its watchdog, told to stop, and refused."""

import asyncio
import os
import signal
import time

from supervisor.commands.shared.common import EXIT_USAGE
from tests.programs.systemd.manager import PATIENCE_SECONDS, SERVICE, Manager
from tests.programs.systemd.step import step
from tests.programs.systemd.steps.speaking import running

WATCHDOG_SECONDS = 6
"""A worker tells the watchdog every 1.5 s that it goes on, unless the machine stops it for a moment."""

_STOP_SECONDS = 5
_SLOW_TO_IMPORT = "import time\ntime.sleep(9)\n"


@step("kill -9 of the supervisor: the service comes back, and its job is reported as interrupted")
async def killed_supervisor(manager: Manager) -> str:
    await running(manager)
    return await _comes_back(manager, manager.supervisor().pid)


@step("kill -9 of the keeper: the same")
async def killed_keeper(manager: Manager) -> str:
    await running(manager)
    (keeper,) = manager.processes("neops-keeper")
    return await _comes_back(manager, keeper.pid)


async def _comes_back(manager: Manager, pid: int) -> str:
    before = await manager.show("NRestarts", "MainPID")
    job = await running_job(manager)
    begun = time.monotonic()
    os.kill(pid, signal.SIGKILL)
    result = await manager.result_of(job)
    assert not result["success"], result
    assert "This worker ended while the job ran" in str(result["message"]), result
    await manager.until_shown("ActiveState", "active")
    after = await manager.show("NRestarts", "MainPID")
    assert int(after["NRestarts"]) == int(before["NRestarts"]) + 1, after
    assert after["MainPID"] != before["MainPID"], after
    return f"active again after {time.monotonic() - begun:.1f} s, once restarted"


async def running_job(manager: Manager, seconds: float = 600) -> str:
    """Submit a job that takes so long, wait until it runs, and return its id.

    That it is claimed is not enough: the journal knows of the claim a moment later, before the job gets its order.
    """
    job = manager.engine.submit(block="neops_testing/slow:1.0.0", parameters={"seconds": seconds})
    end = time.monotonic() + PATIENCE_SECONDS
    while not _has_started(manager, job):
        assert time.monotonic() < end, manager.said()
        await asyncio.sleep(0.05)
    return job


def _has_started(manager: Manager, job: str) -> bool:
    return any(job in line and "event=job_started" in line for line in manager.said_all().splitlines())


@step("stop with running jobs: one may finish, the other is killed, and nothing is left")
async def stopped(manager: Manager) -> str:
    # The worker must ask for more within the time of the unit, which a slow machine takes a part of.
    await manager.configure(
        f"[Service]\nTimeoutStopSec={_STOP_SECONDS}\n", NEOPS_SHUTDOWN_TIMEOUT_SECONDS="9"
    )
    await manager.start()
    killed, finishes = await running_job(manager, 600), await running_job(manager, 2)
    begun = time.monotonic()
    done = await manager.systemctl("stop", SERVICE)
    took = time.monotonic() - begun
    assert done.code == 0, done.output
    assert took > _STOP_SECONDS, f"the job was killed after {took:.1f} s, and had 9"
    assert (await manager.result_of(finishes))["success"]
    message = str((await manager.result_of(killed))["message"])
    assert "worker is shutting down" in message, message
    shown = await manager.show("ActiveState", "Result", "ExecMainStatus")
    assert shown == {"ActiveState": "inactive", "Result": "success", "ExecMainStatus": "0"}, shown
    left = [process for name in ("supervisor", "neops-keeper") for process in manager.processes(name)]
    assert not left, str(left)
    cgroups = await manager.shell("find /sys/fs/cgroup -name 'neops-w*'")
    assert not cgroups, cgroups
    return (
        f"stopped after {took:.1f} s, with TimeoutStopSec={_STOP_SECONDS}: "
        "the worker asks for the time that its jobs were given"
    )


@step("a supervisor that is stopped (SIGSTOP) is ended by the watchdog, and one that is slow to start is not")
async def watchdog(manager: Manager) -> str:
    folder = manager.log.parent / "slow"
    folder.mkdir(exist_ok=True)
    (folder / "slow.py").write_text("from sdk import register_function_block\n" + _SLOW_TO_IMPORT)
    await manager.configure(
        f"[Service]\nWatchdogSec={WATCHDOG_SECONDS}\nTimeoutStartSec=8\n",
        NEOPS_FUNCTION_BLOCKS="blocks.testing,/opt/log/slow",
        NEOPS_IMPORT_ALL_MODULES="true",
    )
    begun = time.monotonic()
    await manager.start()
    started = time.monotonic() - begun
    assert started > 9, f"the module was not imported: {started:.1f} s. {manager.said()}"
    job = await running_job(manager, 3)
    assert (await manager.result_of(job))["success"]
    assert (await manager.show("NRestarts"))["NRestarts"] == "0", manager.said()
    await manager.give(NEOPS_FUNCTION_BLOCKS="blocks.testing")
    manager.supervisor().send_signal(signal.SIGSTOP)
    begun = time.monotonic()
    end = begun + PATIENCE_SECONDS
    while (await manager.show("NRestarts"))["NRestarts"] == "0":
        assert time.monotonic() < end, "the watchdog has not ended it"
        await asyncio.sleep(0.1)
    took = time.monotonic() - begun
    await manager.until_shown("ActiveState", "active")
    await manager.systemctl("stop", SERVICE)
    return (
        f"started in {started:.1f} s, with WatchdogSec={WATCHDOG_SECONDS} and TimeoutStartSec=8; "
        f"ended {took:.1f} s after a SIGSTOP"
    )


@step("a wrong setting: the service stays down")
async def wrong_setting(manager: Manager) -> str:
    await manager.configure(NEOPS_MAX_JOB_SECONDS="never")
    done = await manager.systemctl("start", SERVICE)
    assert done.code != 0, "it was started"
    await asyncio.sleep(1)  # three times RestartSec
    shown = await manager.show("ActiveState", "ExecMainStatus", "NRestarts")
    assert shown == {"ActiveState": "failed", "ExecMainStatus": str(EXIT_USAGE), "NRestarts": "0"}, shown
    return f"exit code {EXIT_USAGE}, not restarted"
