"""What a job can do to the service, under a real systemd: a step of `make systemd-test` each."""

import asyncio

from tests.programs.redteam.attack import attack, cannot, check
from tests.programs.redteam.scene import Scene
from tests.programs.systemd import steps as _steps  # noqa: F401  # registers them
from tests.programs.systemd.__main__ import run_steps
from tests.programs.systemd.private_systemd import why_not
from tests.programs.systemd.step import STEPS


@attack("B1", "a job forges four notifications in the worker's name", pings=False, seconds=120)
async def forged(scene: Scene) -> str:
    return await _step("forged")


@attack("B2", "job users in a state directory that can't hold their files", pings=False, seconds=120)
async def job_users(scene: Scene) -> str:
    return await _step("users_of_a_dynamic_user")


@attack("B5", "systemctl reload returns before the reload is done", pings=False, seconds=120)
async def reload(scene: Scene) -> str:
    return await _step("reload")


async def _step(name: str) -> str:
    if reason := await asyncio.to_thread(why_not):
        cannot(reason)
    (outcome,) = await run_steps([step for step in STEPS if step.name == name])
    check(outcome.holds, outcome.figure)
    return outcome.figure
