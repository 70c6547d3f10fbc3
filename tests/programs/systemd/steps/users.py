"""Users of their own for jobs: by the drop-in that is shipped; and what is said where they can't work."""

import asyncio

from tests.programs.systemd.manager import DEPLOY, SERVICE, Manager
from tests.programs.systemd.step import step

_DROP_IN = DEPLOY / "neops-supervisor-job-users.conf"


@step("job users with the user that exists only for the service: refused, with what to do")
async def users_of_a_dynamic_user(manager: Manager) -> str:
    lines = _DROP_IN.read_text().splitlines()
    kept = [line for line in lines if not line.startswith(("DynamicUser=", "User="))]
    before = len(manager.said_all())
    await manager.configure("\n".join(kept) + "\nRestart=no\n")
    done = await manager.systemctl("start", SERVICE)
    said = manager.said_all()[before:]
    assert done.code != 0, f"it is ready, though no job can run. {said}"
    assert "DynamicUser=no" in said, said
    status = (await manager.show("ExecMainStatus"))["ExecMainStatus"]
    assert status == "2", f"ended with {status}: systemd would try again for ever"
    return next(line for line in said.splitlines() if "DynamicUser=no" in line).partition(": ")[2]


@step("job users with the drop-in that is shipped: jobs run, each as a user of its own without capabilities")
async def job_users(manager: Manager) -> str:
    await manager.shell("grep -q ^neops: /etc/passwd || useradd --system --user-group --no-create-home neops")
    await manager.configure()
    await manager.start()
    await manager.configure(_DROP_IN.read_text())
    await manager.shell("chown --recursive neops: /var/lib/neops-supervisor/")
    worker = manager.engine.workers()[0].uuid
    await manager.start()
    assert worker in (await manager.show("StatusText"))["StatusText"], "its journal was not kept"
    submit = manager.engine.submit
    jobs = [submit(block="neops_systemd/myself:1.0.0") for _ in range(8)]
    results = await asyncio.gather(*map(manager.result_of, jobs))
    users: set[int] = set()
    for result in results:
        assert result["success"], result
        data = result["data"]
        assert isinstance(data, dict)
        users.add(data["value"]["user"])
        capabilities = [int(mask, 16) for mask in data["value"]["capabilities"]]
        assert not any(capabilities), str(data)
    assert users <= {*range(200000, 200012)}, str(users)
    others = {
        "echo": submit(block="neops_base/echo:1.0.0", parameters={"text": "x"}),
        "ping": submit(block="neops_base/ping:1.0.0", parameters={"host": "127.0.0.1", "count": 1}),
        "host_facts": submit(block="neops_base/host_facts:1.0.0"),
    }
    for name, job in others.items():
        result = await manager.result_of(job)
        assert result["success"] or "not installed" in str(result["message"]), f"{name}: {result['message']}"
    reloaded = await manager.systemctl("reload", SERVICE)
    assert reloaded.code == 0, reloaded.output
    assert (await manager.result_of(submit(block="neops_systemd/myself:1.0.0")))["success"]
    stopped = await manager.systemctl("stop", SERVICE)
    shown = await manager.show("ActiveState", "Result")
    assert (stopped.code, shown) == (0, {"ActiveState": "inactive", "Result": "success"}), str(shown)
    return f"8 jobs ran as {len(users)} users ({min(users)} to {max(users)}), then echo, ping, host facts"
