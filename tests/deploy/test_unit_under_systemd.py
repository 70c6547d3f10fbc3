"""The unit under a real systemd: started when registered, stopped when drained, and nothing left.

The service runs as it is shipped, hardening included, where the interpreter can be reached by a user who exists only
for the service. Where it is in somebody's home, the lines that hide it are taken back.
"""

import asyncio
import os
import sys
from pathlib import Path

import psutil
import pytest
from deploy_support import ROOT, UNIT, settings_of
from private_systemd import (
    evidence,
    interpreter_paths,
    is_open_to_all,
    private_systemd,
    wait_for_file,
    why_not,
)

from sdk.devengine import DevEngine, EngineOptions, JobRecord
from tests.patience import PATIENCE_SECONDS

REASON = why_not()
pytestmark = pytest.mark.skipif(bool(REASON), reason=REASON)

SERVICE = "neops-supervisor.service"
MARKER = f"escaped-{os.getpid()}"
ESCAPED = [MARKER, "daemon"]
PROPERTIES = "ActiveState,StatusText,ExecMainStatus,Result,NRestarts,DynamicUser,UID,MainPID,Delegate"
SCRIPT = f"""
systemctl start {SERVICE}
echo $? >start-code
systemctl show {SERVICE} --property={PROPERTIES} >started.new; mv started.new started
for _ in $(seq 600); do [ -e stop ] && break; sleep 0.05; done
systemctl stop {SERVICE}
systemctl show {SERVICE} --property={PROPERTIES} >stopped.show
for process in /proc/[0-9]*; do tr '\\0' ' ' <$process/cmdline; echo; done >left
mv stopped.show stopped
"""
SETTINGS = """
NEOPS_ENGINE_URL={url}
NEOPS_FUNCTION_BLOCKS=blocks,blocks.testing
NEOPS_MAX_CONCURRENT_JOBS=4
NEOPS_POLL_SECONDS=0.1
NEOPS_SHUTDOWN_TIMEOUT_SECONDS=2
"""


def drop_in(folder: Path) -> str:
    lines = [
        *("[Unit]", "DefaultDependencies=no", "[Service]"),
        *("ExecStart=", f"ExecStart={sys.executable} -m supervisor", f"Environment=PYTHONPATH={ROOT}"),
        *("EnvironmentFile=", f"EnvironmentFile={folder}/settings.env"),
        # What the console shows is the evidence of a failure.
        "StandardError=file:" + str(folder / "console"),
    ]
    if not all(map(is_open_to_all, [ROOT, *interpreter_paths()])):
        lines += ["DynamicUser=no", "ProtectHome=no", "NoNewPrivileges=yes", "ProtectSystem=full"]
    if not may_ping():
        lines += ["AmbientCapabilities=CAP_NET_RAW"]
    return "\n".join(lines) + "\n"


def may_ping() -> bool:
    """Whether the kernel lets every group send pings, as systemd sets it up on most machines."""
    low, high = map(int, Path("/proc/sys/net/ipv4/ping_group_range").read_text().split())
    return low == 0 and high >= 2**31 - 1


async def wait_until_running(engine: DevEngine, slow: str) -> None:
    """Wait until the slow job is claimed, and the descendants of the other one run."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while engine.job(slow).status == "pending" or ESCAPED not in all_command_lines():
            await asyncio.sleep(0.05)


def all_command_lines() -> list[list[str]]:
    """The last two words of the command line of every process, those in the namespace included."""
    return [(process.info["cmdline"] or [])[-2:] for process in psutil.process_iter(["cmdline"])]


async def result(engine: DevEngine, job_id: str) -> JobRecord:
    return await engine.wait_for_result(job_id, timeout_seconds=PATIENCE_SECONDS)


def message(record: JobRecord) -> str:
    return str((record.result or {})["result"]["message"])


async def test_the_unit_starts_registered_runs_jobs_drains_and_leaves_nothing(tmp_path: Path) -> None:
    async with DevEngine(EngineOptions(without_token=True)) as engine:
        (tmp_path / "settings.env").write_text(SETTINGS.format(url=engine.url))
        units = {SERVICE: UNIT.read_text(), f"{SERVICE}.d/test.conf": drop_in(tmp_path)}
        with private_systemd(tmp_path, units, SCRIPT) as work:
            await check_start(engine, work)
            await check_jobs(engine)
            await check_stop(engine, work)


async def check_start(engine: DevEngine, work: Path) -> None:
    started = settings_of(await asyncio.to_thread(wait_for_file, work / "started", 25))
    assert (work / "start-code").read_text() == "0\n", evidence(work.parent)
    assert started["ActiveState"] == "active"
    assert started["StatusText"].startswith("The worker is ready: "), started
    assert started["NRestarts"] == "0"
    (worker,) = engine.workers()
    assert worker.uuid in started["StatusText"]
    # Delegate=yes is enough, also for a user that exists only for the service.
    assert "Cgroups for each job: kill" in (work.parent / "console").read_text(), evidence(work.parent)


async def check_jobs(engine: DevEngine) -> None:
    """The hardening lets blocks do their work."""
    facts = engine.submit(block="neops_base/host_facts:1.0.0")
    ping = engine.submit(block="neops_base/ping:1.0.0", parameters={"host": "127.0.0.1"})
    for job_id in (facts, ping):
        record = await result(engine, job_id)
        told = message(record)
        assert record.result_status == "success" or "not installed" in told, told


async def check_stop(engine: DevEngine, work: Path) -> None:
    slow = engine.submit(block="neops_testing/slow:1.0.0", parameters={"seconds": 1})
    stubborn = engine.submit(block="neops_testing/ignore_sigterm_tree:1.0.0", parameters={"marker": MARKER})
    await wait_until_running(engine, slow)
    (work / "stop").touch()
    stopped = settings_of(await asyncio.to_thread(wait_for_file, work / "stopped", 20))
    assert (stopped["ActiveState"], stopped["Result"], stopped["ExecMainStatus"]) == (
        "inactive",
        "success",
        "0",
    )
    assert (await result(engine, slow)).result_status == "success"
    killed = await result(engine, stubborn)
    assert killed.result_status == "failed"
    assert "worker is shutting down" in message(killed)
    left = (work / "left").read_text()
    assert "systemd" in left
    assert "supervisor" not in left
    assert MARKER not in left
