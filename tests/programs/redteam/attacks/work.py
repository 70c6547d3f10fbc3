"""No attack: the scene itself. What can't run an ordinary job proves nothing about the others."""

import asyncio

from tests.programs.redteam.attack import attack, check
from tests.programs.redteam.scene import Scene


@attack("0", "nobody attacks: four ordinary jobs")
async def ordinary_jobs(scene: Scene) -> str:
    async with scene.worker():
        jobs = [await scene.submit("neops_redteam/ordinary:1.0.0", {"text": str(n)}) for n in range(4)]
        results = await asyncio.gather(*map(scene.result_of, jobs))
        for number, result in enumerate(results):
            check(result["success"] and result["data"] == {"text": str(number)}, f"it failed: {result}")
    return "4 jobs succeeded"
