"""The other forms of the unit: two workers on one machine, engine and worker of one machine; and a token by systemd."""

import asyncio
import re
from pathlib import Path

from supervisor.commands.deploy.unit import INSTANCE, LOCAL, SHIPPED_PROGRAM, unit_text
from tests.programs.systemd.manager import Manager
from tests.programs.systemd.step import step

_PROGRAM = Path(SHIPPED_PROGRAM)
_DROP_IN = """
[Unit]
DefaultDependencies=no
[Service]
StandardError=append:/opt/log/{name}
ReadWritePaths=/opt/log
"""
_ECHO = "neops_base/echo:1.0.0"


async def started(manager: Manager, *names: str) -> list[dict[str, str]]:
    """Start these services at once, which must succeed, and return what systemd shows of each."""
    done = await manager.systemctl("start", *names)
    log = manager.log.parent
    said = "\n".join((log / file).read_text() for file in ("instance", "local") if (log / file).exists())
    assert done.code == 0, f"{done.output} {said[-3000:]}"
    shown = []
    for name in names:
        text = (
            await manager.systemctl("show", name, "--property=StatusText,StateDirectory,RuntimeDirectory")
        ).output
        shown.append(dict(line.split("=", 1) for line in text.splitlines()))
    return shown


@step("two workers on one machine by the instance unit: each with its own name, directories and settings")
async def instances(manager: Manager) -> str:
    await manager.configure()
    await manager.write(f"/run/systemd/system/{INSTANCE.file}", unit_text(INSTANCE, _PROGRAM))
    await manager.write(
        f"/run/systemd/system/{INSTANCE.file}.d/10-test.conf", _DROP_IN.format(name="instance")
    )
    await manager.write("/etc/neops-supervisor-two.env", "NEOPS_MAX_CONCURRENT_JOBS=1\n")
    await manager.systemctl("daemon-reload")
    names = [INSTANCE.file.replace("@", f"@{name}") for name in ("one", "two")]
    try:
        one, two = await started(manager, *names)
        assert "4 slot(s)" in one["StatusText"], one
        assert "1 slot(s)" in two["StatusText"], two
        await manager.shell("test -e /var/lib/neops-supervisor-one && test -e /run/neops-supervisor-two")
        known = {worker.name or "" for worker in manager.engine.workers()}
        assert {name.rpartition("-")[2] for name in known} >= {"one", "two"}, str(known)
        jobs = [manager.engine.submit(block=_ECHO, parameters={"text": "x"}) for _ in range(8)]
        results = await asyncio.gather(*map(manager.result_of, jobs))
        assert all(result["success"] for result in results), str(results)
    finally:
        await manager.systemctl("stop", *names)
    return "both ran at once; 8 jobs succeeded"


@step(
    "engine and worker of one machine by their unit: a job runs, a reload works, and nothing is left after the stop"
)
async def local(manager: Manager) -> str:
    await manager.configure()
    await manager.write(f"/run/systemd/system/{LOCAL.file}", unit_text(LOCAL, _PROGRAM))
    # Any port: this machine's own may run an engine.
    port = f"ExecStart=\nExecStart={SHIPPED_PROGRAM} local --port 0\n"
    await manager.write(
        f"/run/systemd/system/{LOCAL.file}.d/10-test.conf", _DROP_IN.format(name="local") + port
    )
    settings = {"PYTHONPATH": "/opt/checkout", "PYTHONDONTWRITEBYTECODE": "1"}
    await manager.write(
        "/etc/neops-local.env", "".join(f"{name}={text}\n" for name, text in settings.items())
    )
    await manager.systemctl("daemon-reload")
    try:
        (shown,) = await started(manager, LOCAL.file)
        (url,) = re.findall(r"engine at (http://[0-9.:]+)", shown["StatusText"])
        submit = (
            "cd / && PYTHONPATH=/opt/checkout /opt/neops-supervisor/bin/supervisor submit neops_base/echo "
            f'--params \'{{"text": "x"}}\' --wait --engine-url {url} '
            "--engine-token-file /var/lib/neops-local/engine.token"
        )
        said = await manager.shell(submit)
        assert "success" in said.lower(), said
        reloaded = await manager.systemctl("reload", LOCAL.file)
        assert reloaded.code == 0, reloaded.output
    finally:
        stopped = await manager.systemctl("stop", LOCAL.file)
    assert stopped.code == 0, stopped.output
    result = await manager.systemctl("show", LOCAL.file, "--property=Result,ActiveState")
    assert sorted(result.output.split()) == ["ActiveState=inactive", "Result=success"], result.output
    return shown["StatusText"]
