"""A machine that was cloned: another machine-id, and a copy of the state directory, while the original works on."""

from tests.programs.systemd.manager import DEPLOY, SERVICE, Manager
from tests.programs.systemd.step import step
from tests.programs.systemd.steps.ending import running_job
from tests.programs.systemd.steps.speaking import running

_CLONE = "neops-clone.service"
_DROP_IN = """
[Unit]
DefaultDependencies=no
[Service]
StandardError=append:/opt/log/clone
ReadWritePaths=/opt/log
BindReadOnlyPaths=/run/machine-id-of-the-clone:/etc/machine-id
"""


@step("a clone registers anew, and leaves the original's running job alone")
async def clone(manager: Manager) -> str:
    await running(manager)
    job = await running_job(manager)
    known = {worker.uuid for worker in manager.engine.workers()}
    text = (
        (DEPLOY / SERVICE)
        .read_text()
        .replace("StateDirectory=neops-supervisor", "StateDirectory=neops-clone")
    )
    await manager.write(f"/run/systemd/system/{_CLONE}", text)
    await manager.write(f"/run/systemd/system/{_CLONE}.d/10-test.conf", _DROP_IN)
    await manager.write("/run/machine-id-of-the-clone", "0123456789abcdef0123456789abcdef\n")
    await manager.shell(
        "cp -a /var/lib/private/neops-supervisor /var/lib/private/neops-clone && systemctl daemon-reload"
    )
    try:
        done = await manager.systemctl("start", _CLONE)
        assert done.code == 0, done.output
        new = {worker.uuid for worker in manager.engine.workers()} - known
        assert len(new) == 1, "the clone came as the original"
        shown = await manager.systemctl("show", _CLONE, "--property=StatusText")
        assert new.pop() in shown.output, shown.output
        record = manager.engine.job(job)
        assert record.status == "polled", f"the clone ended the original's job: {record}"
    finally:
        await manager.systemctl("stop", _CLONE)
        await manager.shell("rm -rf /var/lib/neops-clone /var/lib/private/neops-clone")
    assert manager.engine.job(job).status == "polled", (
        "the clone ended the original's job when it was stopped"
    )
    return "a uuid of its own; the job of the original runs on"
