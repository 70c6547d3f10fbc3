"""`python -m tests.programs.compat`: run the set by our worker in both modes, and compare with the reference worker."""

import argparse
import asyncio
import importlib.util
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Final

from sdk.devengine import DevEngine, EngineOptions
from tests.programs.compat import environments
from tests.programs.compat.comparing import Row, compare, read_differences
from tests.programs.compat.jobs import LIBRARIES, REDACT_EXTRA_KEYS
from tests.programs.compat.outcomes import Outcome, read_kept
from tests.programs.compat.processes import BLOCKS, ROOT, CompatError, run_all, worker
from tests.programs.compat.routers import Lab, network_of, routers, started_lab

_STAND_IN: Final = Path(__file__).parent / "stand_in"
_SECONDS: Final = 120.0
_FLAGS: Final = (
    *(
        "--heartbeat-seconds",
        "2",
        "--poll-seconds",
        "0.05",
        "--grace-seconds",
        "1",
        "--max-job-seconds",
        "20",
    ),
    *("--max-concurrent-jobs", "4"),
)


def main() -> int:
    """Return 0 when all is as it must be, 1 when not, 2 when the comparison could not be made."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.programs.compat",
        description="Run blocks written for neops_worker_sdk by this worker, and compare with the reference worker.",
    )
    parser.add_argument(
        "--environment", type=Path, help="an environment with neops_worker_sdk, as make reference leaves one"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="neops-compat-") as name:
        try:
            with started_lab() as lab:
                return asyncio.run(_both_modes(arguments.environment, Path(name).resolve(), lab))
        except CompatError as error:
            print(f"compat: {error}", file=sys.stderr)
            return 2


async def _both_modes(environment: Path | None, directory: Path, lab: Lab) -> int:
    kept = read_kept()
    package, python = kept["worker"]["package"], kept["worker"]["python"]
    print(f"reference: the outcomes of {package} on Python {python}, as kept in tests/programs/compat")
    for name in sorted(LIBRARIES - _libraries_of("alias")):
        print(f"jobs that need {name} are left out without the package: it is not installed here")
    if lab.lacking:
        print(f"jobs on FRR are left out: {lab.lacking}")
    if importlib.util.find_spec("neops_worker_sdk") is not None:
        raise CompatError("neops_worker_sdk is installed here, so the alias can't be tried.")
    failed = await _mode("alias", "sdk.compat.alias", sys.executable, [ROOT], directory, lab)
    if environment is None:
        print(
            "\nno environment with neops_worker_sdk was named: a stand-in of our own takes the package's place"
        )
        mode, paths, program, by = (
            "stand-in",
            [ROOT, _STAND_IN],
            sys.executable,
            "by a stand-in for the package",
        )
    elif environments.is_usable(environment):
        mode, paths, by = "installed", [ROOT], package
        program = str(environments.interpreter_of(environment))
    else:
        raise CompatError(f"{environment} is no environment with neops_worker_sdk. Make one: make reference.")
    failed += await _mode(mode, by, program, paths, directory, lab)
    return 1 if failed else 0


async def _mode(mode: str, by: str, program: str, paths: list[Path], directory: Path, lab: Lab) -> int:
    """Run the set in one mode, print the table, and return how many jobs are not as they must be."""
    begun = time.monotonic()
    # The package's plugins know no other port than 22.
    is_inside = mode == "installed" and lab.holder_pid is not None
    with network_of(lab) if is_inside else nullcontext():
        outcomes = await _outcomes(mode, program, paths, directory, lab)
    kept, meant = read_kept()["outcomes"], read_differences(mode)
    rows = [compare(name, kept.get(name), outcome, meant.get(name)) for name, outcome in outcomes.items()]
    print(f"\n{mode} mode ({by})")
    for row in rows:
        print(f"  {row.job:<52} {row.verdict}")
    failed = [row for row in rows if row.problem]
    for row in failed:
        print(f"NO: {row.job}: {row.problem}")
    same = sum(row.verdict == "same" for row in rows)
    print(
        f"{len(rows)} jobs in {time.monotonic() - begun:.1f} s: {same} the same, "
        f"{_listed(rows)} different as listed in differences.json, {len(failed)} not as they must be"
    )
    return len(failed)


def _listed(rows: list[Row]) -> int:
    return sum(row.verdict.startswith("as listed") for row in rows)


async def _outcomes(
    mode: str, program: str, paths: list[Path], directory: Path, lab: Lab
) -> dict[str, Outcome]:
    place = directory / mode
    place.mkdir()
    log_file = place / "worker.log"
    async with DevEngine(EngineOptions(without_token=True, id_grammar="0.43")) as engine:
        command = [
            program,
            "-m",
            "supervisor",
            "--engine-url",
            engine.url,
            "--state-dir",
            str(place / "state"),
        ]
        command += ["--function-blocks", str(BLOCKS), *_FLAGS]
        environment = {
            "PYTHONPATH": ":".join(map(str, paths)),
            "PYTHONDONTWRITEBYTECODE": "1",
            "LOG_REDACT_EXTRA_KEYS": REDACT_EXTRA_KEYS,
        }
        async with (
            routers(lab, at_port_22=mode == "installed") as contexts,
            worker(f"Our worker in {mode} mode", command, environment, log_file) as check,
        ):
            return await run_all(contexts, _libraries_of(mode), engine, check, log_file, _SECONDS)


def _libraries_of(mode: str) -> frozenset[str]:
    """Those that the worker's environment has: the package's own has all, and in other modes it is this process's."""
    if mode == "installed":
        return LIBRARIES
    return frozenset(name for name in LIBRARIES if importlib.util.find_spec(name) is not None)


if __name__ == "__main__":
    sys.exit(main())
