"""A group that may ask the worker: by the drop-ins that deploy/README.md has."""

import json

from tests.programs.systemd.manager import SERVICE, Done, Manager
from tests.programs.systemd.step import step

_PROGRAM = "/opt/neops-supervisor/bin/supervisor"
_GROUP = 4242
_PERSON = 4343
_DROP_INS = {
    "SupplementaryGroups=": "SupplementaryGroups=netops\nPrivateUsers=no\nRuntimeDirectoryMode=0711\n",
    "Group=": "Group=netops\nRuntimeDirectoryMode=0750\n",
}


@step(
    "a control group by SupplementaryGroups= and by Group=: its members may ask the worker, nobody else may"
)
async def control_group(manager: Manager) -> str:
    await manager.shell(f"getent group netops || groupadd --gid {_GROUP} netops")
    for name, lines in _DROP_INS.items():
        before = len(manager.said_all())
        await manager.configure(f"[Service]\n{lines}", NEOPS_CONTROL_GROUP="netops")
        await manager.start()
        member = await _asked_by(manager, _GROUP)
        assert member.code == 0, f"{name} {member.output} {manager.said_all()[before:]}"
        stranger = await _asked_by(manager, _PERSON)
        assert stranger.code != 0, f"{name} lets anybody in: {stranger.output}"
        assert "control_group_closed" not in manager.said_all()[before:], name
    await manager.configure()
    return f"{' and '.join(_DROP_INS)}: members get an answer, others exit code {stranger.code}"


@step("doctor --unit: the settings of the file and of drop-ins, and none of the shell's")
async def doctor(manager: Manager) -> str:
    await manager.configure("[Service]\nEnvironment=NEOPS_OF_A_DROP_IN=1\n", NEOPS_OF_THE_FILE="1")
    script = (
        f"cd / && PYTHONPATH=/opt/checkout NEOPS_OF_THE_SHELL=1 {_PROGRAM} doctor --json --unit {SERVICE}"
    )
    done = await manager.run("sh", "-c", script)
    checks = {each["check"]: each for each in json.loads(done.output)["checks"]}
    text = checks["variable names"]["text"]
    assert "NEOPS_OF_A_DROP_IN" in text, text
    assert "NEOPS_OF_THE_FILE" in text, text
    assert "NEOPS_OF_THE_SHELL" not in text, text
    assert "/var/lib/neops-supervisor" in checks["state directory"]["text"], checks["state directory"]
    await manager.configure()
    return f"{len(checks)} checks"


async def _asked_by(manager: Manager, group: int) -> Done:
    who = ("setpriv", f"--reuid={_PERSON}", f"--regid={_PERSON}", f"--groups={group}")
    environment = ("env", "PYTHONPATH=/opt/checkout", "PYTHONDONTWRITEBYTECODE=1", "HOME=/")
    return await manager.run(
        *who, *environment, _PROGRAM, "status", "--runtime-dir", f"/run/{SERVICE.partition('.')[0]}"
    )
