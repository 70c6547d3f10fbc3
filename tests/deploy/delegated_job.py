"""A worker's cgroups without the worker: run as the service's user, it puts a process into one and kills it there.

Standard library only: the interpreter is the machine's own. Prints what was there.
"""

import asyncio
import logging
import os
import subprocess
import sys
from pathlib import Path

from supervisor.process.cgroups.worker import cgroups_of_worker


async def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    async with cgroups_of_worker(Path(os.environ["STATE_DIRECTORY"]), wanted=True) as cgroups:
        child = subprocess.Popen(["sleep", "600"])  # nothing else runs on this loop
        cgroup = cgroups.new()
        await cgroup.join(child.pid)
        print("uid", os.getuid(), "inside", cgroup.processes() == {child.pid}, file=sys.stderr)
        cgroup.kill()
        print("ended by", child.wait(5), file=sys.stderr)
        cgroup.remove()


asyncio.run(main())
