"""`python -m tests.programs.bench --against COMMIT`: prepare both versions, measure them in pairs, print the table."""

import asyncio
import json
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from random import Random
from typing import Final

import aiohttp

from supervisor.commands.shared.program import ProgramError
from tests.programs.bench import machine
from tests.programs.bench.against.copies import commit_of, copy_commit, copy_present
from tests.programs.bench.against.counting import Counter, usable_counter
from tests.programs.bench.against.pair import measure_pair
from tests.programs.bench.against.plan import Plan, orders
from tests.programs.bench.against.report import compare, explanation, table
from tests.programs.bench.against.versions import Version, set_up
from tests.programs.bench.errors import BenchError

NOTE_ON_ENVIRONMENTS: Final = (
    "The versions ask for different packages, so each has its own. They are a part of what was compared,\n"
    "and so is where their pages happen to lie: take half a percent of memory for chance."
)
Values = dict[str, float]
_ENDING: Final = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for on the command line."""

    against: str
    client: str
    plan: Plan
    json: Path | None
    present_flags: tuple[str, ...] = ()


async def run(request: Request, directory: Path) -> int:
    """Compare, and return 0 when all was measured, whatever the ratios are; 2 when it could not be."""
    pairs: list[tuple[Values, Values]] = []
    problem = ""
    load_before, neighbours = machine.load_average(), machine.Neighbours()
    try:
        versions = await _prepare(request, directory)
        counter = await usable_counter(directory)
        await _measure(request, versions, counter, directory, pairs)
    except (BenchError, ProgramError, aiohttp.ClientError) as error:
        problem = str(error)
    if pairs:
        facts = machine.facts(directory, load_before, neighbours)
        _show(request, versions, counter, pairs, facts)
    if problem:
        print(f"bench: {problem}", file=sys.stderr)
        return 2
    return 0


async def _prepare(request: Request, directory: Path) -> tuple[Version, Version]:
    commit = await commit_of(request.against)
    # Names of the same length: a path is copied and compared in many places.
    other, present = directory / "against", directory / "present"
    async with _told(f"setting up {commit[:7]} and the present version"):
        await copy_commit(commit, other)
        await copy_present(present)
        before, now = await set_up((commit[:7], "present"), (other, present), request.client)
        return before, replace(now, flags=request.present_flags)


async def _measure(
    request: Request,
    versions: tuple[Version, Version],
    counter: Counter | None,
    directory: Path,
    pairs: list[tuple[Values, Values]],
) -> None:
    """Append to `pairs` as they come, so that what was measured before a failure is not lost."""
    for number, other_first in enumerate(orders(request.plan.pairs, Random()), start=1):
        async with _told(f"pair {number} of {request.plan.pairs}"):
            order = versions if other_first else versions[::-1]
            first, second = await measure_pair(directory / f"pair-{number:03}", order, request.plan, counter)
        pairs.append((first, second) if other_first else (second, first))


def _show(
    request: Request,
    versions: tuple[Version, Version],
    counter: Counter | None,
    pairs: list[tuple[Values, Values]],
    facts: dict[str, str],
) -> None:
    against, compared = versions[0].name, compare(pairs)
    print(table(against, compared), explanation(len(pairs), len(compared)), _note_on(counter), sep="\n\n")
    if not versions[0].shares_environment:
        print(NOTE_ON_ENVIRONMENTS)
    print("", *(f"{fact}: {value}" for fact, value in facts.items()), sep="\n")
    if request.json is not None:
        content = {
            "against": against,
            "compared": [asdict(one) for one in compared],
            "pairs": pairs,
            "machine": facts,
        }
        request.json.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _note_on(counter: Counter | None) -> str:
    if counter is None:
        return "System calls and fsyncs are left out: neither perf nor strace can count them here."
    return f"System calls and fsyncs were counted by {counter.name}, while no time was taken."


@asynccontextmanager
async def _told(what: str) -> AsyncIterator[None]:
    start, neighbours = time.monotonic(), machine.Neighbours()
    print(f"{what} … ", end="", file=sys.stderr, flush=True)
    try:
        yield
    except BaseException:
        print(file=sys.stderr)
        raise
    used = f"others used {neighbours.cores_used():.2f} of {machine.cores()} cores"
    print(f"{time.monotonic() - start:.1f} s, {used}", file=sys.stderr, flush=True)


def main(request: Request, directory: Path) -> int:
    """Run the comparison, and end it in order when a signal asks for that."""
    try:
        return asyncio.run(_until_signalled(request, directory))
    except asyncio.CancelledError:
        # What is left to do is to remove the copies, and an impatient second signal must not break that off.
        for number in _ENDING:
            signal.signal(number, signal.SIG_IGN)
        print("bench: interrupted.", file=sys.stderr)
        return 130


async def _until_signalled(request: Request, directory: Path) -> int:
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None

    def stop() -> None:
        # Only the first one: a second, such as that which make passes on, must not break the clearing up.
        for number in _ENDING:
            loop.add_signal_handler(number, lambda: None)
        task.cancel()

    for number in _ENDING:
        loop.add_signal_handler(number, stop)
    return await run(request, directory)
