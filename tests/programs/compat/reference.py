"""`python -m tests.programs.compat.reference`: run the set by the reference worker, and keep what came of it.

It installs `neops_worker_sdk` into an environment of its own, starts the embedded engine in this process, has the
reference worker (`neops_worker`) run every job, and writes `reference_outcomes.json`. It is also a proof of the
engine, with a worker that nobody here has written.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from sdk.devengine import DevEngine, EngineOptions
from tests.programs.compat import environments
from tests.programs.compat.jobs import JOBS, LIBRARIES, REDACT_EXTRA_KEYS
from tests.programs.compat.outcomes import Outcome, keep, read_kept
from tests.programs.compat.processes import BLOCKS, CompatError, run_all, worker
from tests.programs.compat.routers import Lab, network_of, routers, started_lab

# It pauses for a second after each job.
_SECONDS: Final = 240.0


def main() -> int:
    """Return 0 when the outcomes are kept, 2 when the worker could not be run."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.programs.compat.reference", description="Run the set by the reference worker."
    )
    parser.add_argument("--environment", type=Path, help="where to make its environment, and to leave it")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="neops-reference-") as name:
        environment = arguments.environment or Path(name) / "environment"
        try:
            with started_lab() as lab:
                outcomes = asyncio.run(_outcomes(environment.resolve(), Path(name).resolve(), lab))
        except CompatError as error:
            print(f"reference: {error}", file=sys.stderr)
            return 2
    before = read_kept()["outcomes"]
    keep({"package": environments.REQUIREMENT, "python": ".".join(map(str, sys.version_info[:2]))}, outcomes)
    changed = sorted(name for name in outcomes if before.get(name) != outcomes[name])
    print(f"kept the outcomes of {len(outcomes)} jobs; other than before: {', '.join(changed) or 'none'}")
    return 0


async def _outcomes(environment: Path, directory: Path, lab: Lab) -> dict[str, Outcome]:
    if not environments.is_usable(environment):
        print(f"installing {environments.REQUIREMENT} into {environment}", flush=True)
        await asyncio.to_thread(environments.make, environment)
    if lab.lacking:
        raise CompatError(lab.lacking)
    with network_of(lab):
        return await _run(environment, directory, lab)


async def _run(environment: Path, directory: Path, lab: Lab) -> dict[str, Outcome]:
    log_file = directory / "worker.log"
    async with DevEngine(EngineOptions(without_token=True, id_grammar="0.43")) as engine:
        settings = {
            "URL_BLACKBOARD": engine.url,
            "DIR_FUNCTION_BLOCKS": str(BLOCKS),
            "POLL_INTERVAL": "1",
            "LOG_REDACT_EXTRA_KEYS": REDACT_EXTRA_KEYS,
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        command = [str(environments.interpreter_of(environment).with_name("neops_worker"))]
        begun = time.monotonic()
        print(f"running {len(JOBS)} jobs by the reference worker", flush=True)
        async with (
            routers(lab, at_port_22=True) as contexts,
            worker("The reference worker", command, settings, log_file) as check,
        ):
            outcomes = await run_all(contexts, LIBRARIES, engine, check, log_file, _SECONDS)
        print(
            f"{len(engine.registrations())} blocks registered, {len(outcomes)} results in "
            f"{time.monotonic() - begun:.0f} s, {sum(request.status >= 400 for request in engine.requests)} requests "
            "that the engine refused"
        )
    return outcomes


if __name__ == "__main__":
    sys.exit(main())
