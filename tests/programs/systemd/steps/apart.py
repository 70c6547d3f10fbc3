"""Jobs are kept as far apart as the kernel allows (`--isolation`), with keyrings and without."""

from functools import partial

from jobrunner.protocol.isolation import ABI_WITH_SIGNALS
from supervisor.log.events.isolation import IsolationInForce
from supervisor.process.kernel_isolation import detect
from tests.patience import until
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
        # The log is written by a thread of its own: what was logged before the worker was ready may come after it.
        said = partial(_says, manager, before, f"event={IsolationInForce.name}")
        assert not complete or await until(said, f"it says what is in force: {manager.said_all()[before:]}")
        result = await manager.result_of(manager.engine.submit(block=_BLOCK, parameters={"text": "x"}))
        assert result["success"], result["message"]
    await manager.configure()
    return f"Landlock ABI {kernel.landlock_abi}, seccomp: {kernel.seccomp}"


def _says(manager: Manager, before: int, part: str) -> bool:
    return part in manager.said_all()[before:]
