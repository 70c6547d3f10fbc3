"""A token that systemd hands over: `LoadCredential=`, as deploy/README.md has it."""

from sdk.devengine import DevEngine, EngineOptions
from tests.programs.systemd.manager import Manager
from tests.programs.systemd.step import step

_DROP_IN = """
[Service]
LoadCredential=engine-token:/etc/neops-supervisor/token
Environment=NEOPS_ENGINE_TOKEN_FILE=%d/engine-token
"""


@step(
    "a token by LoadCredential: the worker has it, no job finds or reads it, and a new one needs a restart alone"
)
async def credential(manager: Manager) -> str:
    for _ in range(2):
        async with DevEngine(EngineOptions()) as engine:
            assert engine.token_file is not None
            await manager.configure(_DROP_IN)
            await manager.give(NEOPS_ENGINE_URL=engine.url)
            await manager.write("/etc/neops-supervisor/token", engine.token_file.read_text())
            await manager.shell("chmod 600 /etc/neops-supervisor/token")
            await manager.start()
            record = await engine.wait_for_result(engine.submit(block="neops_systemd/credentials:1.0.0"), 60)
            assert record.result_status == "success", record.result
            seen = (record.result or {})["result"]["data"]["value"]
            assert seen["variable"] is None, seen
            assert seen["read"] == "refused: PermissionError", seen
            place = (await manager.shell("ls -l /run/credentials/neops-supervisor.service")).splitlines()[-1]
            # Only root, and by an access control list (`+`) the service's user.
            assert place.startswith("-r--r-----+ 1 root root"), place
            token = engine.token_file.read_text().strip()
            assert token not in manager.said_all()
            await manager.systemctl("stop", "neops-supervisor.service")
            left = await manager.run("ls", "/run/credentials/neops-supervisor.service/engine-token")
            assert left.code != 0, "the token is left there"
    await manager.configure()
    return f"two tokens, one after the other; a job that tries to read it: {seen['read']}"
