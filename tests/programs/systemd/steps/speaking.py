"""What systemd is told of the service: when it is ready, by whom, and until when a reload lasts."""

import asyncio
import contextlib
import os
import time
from pathlib import Path
from typing import Any

from sdk.testing.devices import EmulatedIos
from supervisor.log.events.worker import RegistrationFailing
from tests.patience import until
from tests.programs.systemd.manager import PATIENCE_SECONDS, SERVICE, Manager
from tests.programs.systemd.step import step

_BLOCK = """
from sdk import FunctionBlock, FunctionBlockParams, FunctionBlockResult, FunctionBlockResultData, Registration
from sdk import register_function_block

class Data(FunctionBlockResultData):
    version: int

@register_function_block(Registration(package="reloaded", name="version", description="Its version", run_on="global",
    fb_type="execute", param_cls=FunctionBlockParams, result_cls=Data))
class Version(FunctionBlock[FunctionBlockParams, Data]):
    async def run(self, params, context):
        return FunctionBlockResult(success=True, message="Done", data=Data(version={version}))
"""
_BLOCKS = "/opt/log/blocks"
_FORGED = ("MAINPID={pid}", "WATCHDOG=trigger", "STOPPING=1", "STATUS=all is well")
_SHOWN = (
    "ActiveState",
    "SubState",
    "MainPID",
    "StatusText",
    "NRestarts",
    "Result",
    "WatchdogUSec",
    "InvocationID",
)


async def running(manager: Manager) -> None:
    """Have the service run with the settings of these steps."""
    shown = await manager.show("ActiveState", "StatusText")
    if shown["ActiveState"] != "active" or not shown["StatusText"].startswith("ready. "):
        await write_version(manager, 0)
        await manager.configure(
            NEOPS_FUNCTION_BLOCKS=f"blocks,blocks.testing,/opt/checkout/tests/programs/systemd/systemd_blocks,{_BLOCKS}"
        )
        await manager.start()


async def write_version(manager: Manager, version: int) -> None:
    """Write the code of the block that a reload renews."""
    folder = manager.log.parent / "blocks"
    folder.mkdir(exist_ok=True)
    (folder / "version.py").write_text(_BLOCK.format(version=version))


@step("the service is started only when a job can run")
async def ready(manager: Manager) -> str:
    await manager.configure(NEOPS_ENGINE_URL="http://127.0.0.1:1")
    starting = asyncio.create_task(manager.systemctl("start", SERVICE))
    before, end = len(manager.said_all()), time.monotonic() + PATIENCE_SECONDS
    while f"event={RegistrationFailing.name}" not in manager.said_all()[before:]:
        assert not starting.done(), f"it was started without an engine. {manager.said()}"
        assert time.monotonic() < end, f"it does not ask for its engine. {manager.said()}"
        await asyncio.sleep(0.1)
    assert (await manager.show("ActiveState"))["ActiveState"] == "activating"
    await manager.systemctl("stop", SERVICE)
    await starting
    await running(manager)
    shown = await manager.show(*_SHOWN, "Type", "NotifyAccess")
    assert shown["ActiveState"] == "active", shown
    assert shown["StatusText"].startswith("ready. "), shown
    begun = time.monotonic()
    result = await manager.result_of(manager.engine.submit(block="neops_systemd/myself:1.0.0"))
    assert result["success"], result
    return f"Type={shown['Type']}; the first job ended {time.monotonic() - begun:.2f} s after the start"


@step("where no child can be born the service is never ready, and says why")
async def no_child(manager: Manager) -> str:
    await manager.configure("[Service]\nSystemCallFilter=~@resources\n")
    await manager.systemctl("start", "--no-block", SERVICE)
    end = time.monotonic() + PATIENCE_SECONDS
    while (
        "no job can be started"
        not in (shown := await manager.show("ActiveState", "StatusText"))["StatusText"]
    ):
        assert shown["ActiveState"] == "activating", f"{shown} {manager.said()}"
        assert time.monotonic() < end, f"{shown} {manager.said()}"
        await asyncio.sleep(0.2)
    assert shown["ActiveState"] == "activating", shown
    job = manager.engine.submit(block="neops_base/echo:1.0.0", parameters={"text": "x"})
    await asyncio.sleep(0.5)  # several polls, if there were any
    assert manager.engine.job(job).status == "pending", "it was claimed"
    await running(manager)
    assert (await manager.result_of(job))["success"]
    return f"activating; {shown['StatusText']}"


@step("every block of the library does its work under the hardening, on an emulated device too")
async def ordinary_blocks(manager: Manager) -> str:
    await running(manager)
    known = [str(each.block) for each in manager.engine.registrations()]
    registered = {block for block in known if block.startswith("neops_base/")}
    async with EmulatedIos("admin", "for-the-library", "r1") as device:
        context = device.as_context()
        context["devices"][0]["currentConfiguration"] = device.device.running_config()
        group = {"id": 5, "name": "core", "devices": [{"id": 1}]}
        on_device: dict[str, Any] = {"context": context, "run_on": "device", "entity_id": 1}
        on_group = on_device | {
            "context": context | {"deviceGroups": [group]}, "run_on": "group", "entity_id": 5
        }  # fmt: skip
        of_device = {"port": device.port}
        shown = of_device | {"commands": ["show version"]}
        cases: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
            "echo": ({"text": "x"}, {}),
            "host_facts": ({}, {}),
            "ping": ({"host": "127.0.0.1", "count": 1}, {}),
            "configure": (of_device | {"lines": ["ntp server 192.0.2.77"]}, on_device),
            "show_command": (shown, on_device),
            "show_on_group": (shown, on_group),
        }
        reading = ("device_facts", "interface_facts", "neighbors", "platform_detect", "routes")
        cases |= dict.fromkeys(reading, (of_device, on_device))
        assert registered == {f"neops_base/{name}:1.0.0" for name in cases}, "the library has other blocks"
        jobs = {
            name: manager.engine.submit(block=f"neops_base/{name}:1.0.0", parameters=parameters, **where)
            for name, (parameters, where) in cases.items()
        }
        results = {name: await manager.result_of(job) for name, job in jobs.items()}
    failed = {
        name: result["message"]
        for name, result in results.items()
        if not result["success"] and "not installed" not in str(result["message"])
    }
    assert not failed, str(failed)
    return f"{len(results)} succeeded"


@step("a job knows no way to the keeper, nor from its environment one to systemd")
async def no_way(manager: Manager) -> str:
    await running(manager)
    result = await manager.result_of(manager.engine.submit(block="neops_systemd/myself:1.0.0"))
    data = result["data"]
    assert isinstance(data, dict)
    seen = data["value"]
    assert not {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"} & {*seen["environment"]}, str(seen)
    assert not int(seen["capabilities"][0], 16), str(seen)
    supervisor = manager.supervisor()
    (keeper,) = manager.processes("neops-keeper")

    def shared() -> list[str]:
        theirs = sockets_of(supervisor.pid) | sockets_of(keeper.pid)
        assert theirs
        return [str(child) for child in supervisor.children(recursive=True) if theirs & sockets_of(child.pid)]

    # The ends of a child's own channel are open on both sides for the moment in which it is born.
    await until(lambda: not shared(), "no child has a socket of the keeper or the supervisor")
    return f"{len(seen['open'])} descriptors are open in a job; no child has the keeper's sockets or the supervisor's"


@step("four forged notifications change nothing, and the service can still be reloaded")
async def forged(manager: Manager) -> str:
    await running(manager)
    before = await manager.show(*_SHOWN)
    job = manager.engine.submit(
        block="neops_systemd/forge:1.0.0",
        parameters={"address": "/run/systemd/notify", "messages": list(_FORGED)},
    )
    result = await manager.result_of(job)
    assert result["success"], result
    await asyncio.sleep(0.5)  # systemd has read them by then, or it would not have changed
    after = await manager.show(*_SHOWN)
    assert after == before, f"{before} became {after}"
    reloaded = await manager.systemctl("reload", SERVICE)
    assert reloaded.code == 0, reloaded.output
    # What the worker says of its reload may come a moment later than the end of the command.
    await manager.until_shown("ActiveState", "active")
    after = await manager.show(*_SHOWN)
    assert (after["MainPID"], after["NRestarts"]) == (before["MainPID"], before["NRestarts"]), after
    return f"{', '.join(_FORGED)}: sent by a job and by a program of its, all as before"


@step("a reload has happened when systemctl reload returns, also where the worker is slow to begin with it")
async def reload(manager: Manager) -> str:
    await running(manager)
    await write_version(manager, 1)
    supervisor = manager.supervisor()
    supervisor.suspend()
    begun = time.monotonic()
    reloading = asyncio.create_task(manager.systemctl("reload", SERVICE))
    try:
        # What only passes the signal on has returned by then.
        await asyncio.sleep(1)
        assert not reloading.done(), "it returned while the worker stood still"
    finally:
        supervisor.resume()
    done = await reloading
    took = time.monotonic() - begun
    assert done.code == 0, done.output
    result = await manager.result_of(manager.engine.submit(block="reloaded/version:1.0.0"))
    assert result.get("data") == {"version": 1}, str(result)
    return f"it took {took:.1f} s, and the next job ran the new code"


@step("a reload that is refused fails, says why, and changes nothing; the next one that can be used works")
async def refused_reload(manager: Manager) -> str:
    await running(manager)
    await write_version(manager, 2)
    assert (await manager.systemctl("reload", SERVICE)).code == 0, manager.said()
    (manager.log.parent / "blocks" / "version.py").write_text("import a_module_that_is_not_there\n" + _BLOCK)
    before = await manager.show("MainPID", "NRestarts")
    refused = await manager.systemctl("reload", SERVICE)
    assert refused.code != 0, "it was refused, and systemctl says that it worked"
    status = await manager.until_status("The last reload was refused: ")
    await manager.until_shown("ActiveState", "active")
    shown = await manager.show("MainPID", "NRestarts")
    assert {name: shown[name] for name in before} == before, shown
    result = await manager.result_of(manager.engine.submit(block="reloaded/version:1.0.0"))
    assert result.get("data") == {"version": 2}, str(result)
    await write_version(manager, 3)
    assert (await manager.systemctl("reload", SERVICE)).code == 0, manager.said()
    await manager.until_status("refused", is_there=False)
    result = await manager.result_of(manager.engine.submit(block="reloaded/version:1.0.0"))
    assert result.get("data") == {"version": 3}, str(result)
    return f"systemctl reload ended with {refused.code}; {status.partition('worker')[2][39:]}"


def sockets_of(pid: int) -> set[str]:
    """The sockets that a process has open, its three standard streams aside; none where it has ended meanwhile."""
    folder = Path(f"/proc/{pid}/fd")
    found: set[str] = set()
    try:
        numbers = os.listdir(folder)
    except FileNotFoundError:  # a spare gives way to the next one
        return found
    for number in numbers:
        with contextlib.suppress(OSError):
            if int(number) > 2 and (link := os.readlink(folder / number)).startswith("socket:"):
                found.add(link)
    return found
