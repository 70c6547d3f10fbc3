"""Jobs are kept as far apart as the kernel allows (`--isolation`), with keyrings and without."""

from jobrunner.protocol.isolation import ABI_WITH_SIGNALS
from supervisor.log.events.isolation import IsolationInForce
from supervisor.process.kernel_isolation import detect
from tests.programs.systemd.manager import Manager
from tests.programs.systemd.step import step

_BLOCK = "neops_base/echo:1.0.0"


@step("under the unit's filter, with and without keyrings, jobs run and are kept apart")
async def kept_apart(manager: Manager) -> str:
    kernel = detect()
    complete = kernel.landlock_abi >= ABI_WITH_SIGNALS and kernel.seccomp
    for drop_in in ("", "[Service]\nSystemCallFilter=~@keyring\n"):
        await manager.configure(drop_in)
        before = len(manager.said_all())
        await manager.start()
        said = manager.said_all()[before:]
        assert not complete or f"event={IsolationInForce.name}" in said, said
        result = await manager.result_of(manager.engine.submit(block=_BLOCK, parameters={"text": "x"}))
        assert result["success"], result["message"]
    await manager.configure()
    return f"Landlock ABI {kernel.landlock_abi}, seccomp: {kernel.seccomp}"
