"""The command line of the zoo: every member through one real worker; exit code 0 when each ended as it must."""

import argparse
import asyncio
import secrets
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from sdk.devengine import JobRecord
from supervisor.commands.demo.census import Census, Found
from supervisor.commands.shared.program import ProgramError
from tests.faults.processors import epoch, watched_processors
from tests.hosting.hosting import signals_are_contained
from tests.programs.bench.distribution import Distribution, late_beats
from tests.programs.bench.engine import records_of
from tests.programs.bench.errors import BenchError
from tests.programs.bench.machine import load_average
from tests.programs.bench.stage import STOP_SECONDS, database_of, timed
from tests.programs.zoo.judging import judge, table
from tests.programs.zoo.keepers import BEAT_SECONDS, SLOTS, kept
from tests.programs.zoo.members import MEMBERS, Member
from tests.programs.zoo.visit import Visit, visit_all
from tests.programs.zoo.worker_seen import WorkerSeen

_LEFT_SECONDS: Final = 15.0


def main() -> int:
    """Run the zoo. Returns 0 when all is as it must be, 1 when not, 2 when it could not be run to its end."""
    arguments = _parser().parse_args()
    members = [
        member for member in MEMBERS if not arguments.only or member.block.endswith(tuple(arguments.only))
    ]
    census = Census(mark := f"neops-zoo-{secrets.token_hex(6)}")
    with tempfile.TemporaryDirectory(prefix="neops-zoo-") as name:
        try:
            return asyncio.run(_run(Path(name).resolve(), census, mark, members))
        except (BenchError, ProgramError) as error:
            print(f"zoo: it could not be run to its end. {error}", file=sys.stderr)
            return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.programs.zoo", description="Run every hostile block through one real worker."
    )
    parser.add_argument("only", nargs="*", metavar="NAME", help="blocks to run; by default all")
    return parser


async def _run(directory: Path, census: Census, mark: str, members: Sequence[Member]) -> int:
    begun, load = time.monotonic(), load_average()
    async with (
        kept(directory, census, mark) as keepers,
        timed(directory, BEAT_SECONDS) as machine_late,
        watched_processors(directory) as processors,
    ):
        descriptors = await keepers.descriptors()
        start = time.monotonic()
        visits = await visit_all(keepers, members, signals_are_contained())
        end = time.monotonic()
        pings = await keepers.engine.pings()
        more_descriptors = await keepers.descriptors() - descriptors
        exit_code = await keepers.worker.stop(STOP_SECONDS)
    jobs = {record.job_id: record for record in await records_of(database_of(directory))}
    causes = {job_id: cause.value for job_id, cause in keepers.log.causes.items()}
    machine = Distribution.of(machine_late)
    beats = [beat for beat in late_beats(pings, BEAT_SECONDS) if start <= beat.came_at <= end]
    standstills = [(at + epoch(), late) for at, late in processors.late]
    rows = [judge(visit, jobs, causes, standstills) for visit in visits]
    worker = WorkerSeen(
        pings=Distribution.of([beat.late_seconds for beat in beats]),
        pings_due=int((end - start) / BEAT_SECONDS),
        machine=machine,
        left=tuple(f"{found.command} ({found.pid})" for found in await _left(census)),
        more_descriptors=more_descriptors,
        exit_code=exit_code,
        bugs=tuple(keepers.bugs),
    )
    print(table(rows), end="\n\n")
    print(worker)
    failed = sum(bool(row.problems) for row in rows)
    print(
        f"{len(rows)} members, {failed} not as they must be; {SLOTS} slots, {time.monotonic() - begun:.0f} s, "
        f"load average before: {load:.2f}"
    )
    if skipped := len(members) - len(visits):
        print(
            f"note: {skipped} were not run, as this kernel can't keep jobs from signalling others (Linux 6.12)."
        )
    for beat in sorted(beats, key=lambda beat: -beat.late_seconds)[:3]:
        print(f"  {beat.late_seconds * 1000:.0f} ms late beside: {_running_at(beat.came_at, visits, jobs)}")
    problems = worker.problems()
    for problem in problems:
        print(f"NO: {problem}")
    return 1 if problems or failed else 0


async def _left(census: Census) -> list[Found]:
    """Return what is left after some time: one that was killed a moment ago needs a processor to die."""
    end = time.monotonic() + _LEFT_SECONDS
    while True:
        is_last = time.monotonic() > end
        if not (left := census.left()) or is_last:
            return left
        await asyncio.sleep(0.02)


def _running_at(monotonic: float, visits: Sequence[Visit], jobs: Mapping[str, JobRecord]) -> str:
    """Name the members whose jobs ran, or ended, in the half second before."""
    at = epoch() + monotonic
    names = [
        visit.member.name
        for visit in visits
        if (jobs[visit.job_id].claimed_at or 0) <= at <= (jobs[visit.job_id].finished_at or 0) + 0.5
    ]
    return ", ".join(names) or "nothing"


if __name__ == "__main__":
    sys.exit(main())
