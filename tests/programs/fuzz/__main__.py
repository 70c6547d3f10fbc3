"""The command line of the fuzzing: exit code 0 when nothing of what came from outside did any harm."""

import argparse
import asyncio
import logging
import random
import sys
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.programs.fuzz.engine import EngineReplies
from tests.programs.fuzz.frames import Frames
from tests.programs.fuzz.fuzzer import Fuzzer
from tests.programs.fuzz.jobs import JobLists
from tests.programs.fuzz.measuring import CASE, Footprint, Hold, watched_loop
from tests.programs.fuzz.template import TemplateReports

LONGEST_HOLD_SECONDS = 0.1
MORE_MEMORY_MB = 16.0
"""A leak of thousands of cases would be more. The allocator kept up to 7 of the largest, at any number of cases."""
FUZZERS = {"frames": Frames, "template": TemplateReports, "engine": EngineReplies, "jobs": JobLists}
_MORE_DESCRIPTORS = 2
"""A connection that is kept for the next request may be there or not."""

_WARM_UP_SHARE = 0.2
_MOST_FAILURES = 5


@dataclass(slots=True)
class Report:
    """What one fuzzer found. `failures` are numbers of cases, with what was wrong."""

    cases: int
    failures: dict[int, str] = field(default_factory=dict)
    hold: Hold = field(default_factory=Hold)
    more_memory_mb: float = 0.0
    more_descriptors: int = 0
    seconds: float = 0.0

    def problems(self) -> list[str]:
        """Return what was wrong, one sentence each."""
        found = [f"case {number}: {text}" for number, text in self.failures.items()]
        if self.hold.seconds > LONGEST_HOLD_SECONDS:
            found.append(f"case {self.hold.case} held the event loop for {self.hold.seconds * 1000:.0f} ms")
        if self.more_memory_mb > MORE_MEMORY_MB:
            found.append(f"{self.more_memory_mb:.1f} MiB more memory")
        if self.more_descriptors > _MORE_DESCRIPTORS:
            found.append(f"{self.more_descriptors} more descriptors")
        return found


def main() -> int:
    """Run the fuzzers. Returns 1 when one found something."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.programs.fuzz", description="Fuzz what comes from outside."
    )
    parser.add_argument(
        "only", nargs="*", choices=[*FUZZERS, []], metavar="FUZZER", help=f"of {', '.join(FUZZERS)}"
    )
    parser.add_argument(
        "--cases", type=int, default=100_000, help="for all fuzzers together (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--case", type=int, help="run this case of this seed only, with its traceback")
    arguments = parser.parse_args()
    logging.getLogger().addHandler(logging.NullHandler())
    failed = False
    for name in arguments.only or FUZZERS:
        numbers = range(arguments.cases // len(arguments.only or FUZZERS))
        if arguments.case is not None:
            numbers = range(arguments.case, arguments.case + 1)
        report = asyncio.run(run(name, arguments.seed, numbers))
        print(
            f"{name:<8} {report.cases} cases, seed {arguments.seed}: {len(report.failures)} failures; longest hold "
            f"{report.hold.seconds * 1000:.1f} ms (case {report.hold.case}); memory {report.more_memory_mb:+.1f} MiB, "
            f"descriptors {report.more_descriptors:+d}; {report.seconds:.0f} s",
            flush=True,
        )
        for problem in report.problems():
            failed = True
            print(
                f"NO: {name}: {problem}\n"
                f"    again: python -m tests.programs.fuzz {name} --seed {arguments.seed} --case NUMBER"
            )
    if failed:
        print(f"One case again: python -m tests.programs.fuzz FUZZER --seed {arguments.seed} --case NUMBER")
    return 1 if failed else 0


async def run(name: str, seed: int, numbers: range) -> Report:
    """Run cases of one fuzzer, some at a time."""
    report, begun = Report(len(numbers)), time.monotonic()
    loop = asyncio.get_running_loop()
    unexpected: list[str] = []
    loop.set_exception_handler(lambda _, context: unexpected.append(_describe(context)))

    async def work(fuzzer: Fuzzer, todo: Iterator[int]) -> None:
        for number in todo:
            if len(report.failures) >= _MOST_FAILURES:
                return
            CASE.set(number)
            try:
                async with asyncio.timeout(30):
                    await fuzzer.check(random.Random(f"{name} {seed} {number}"))
            except Exception as error:
                where = traceback.extract_tb(error.__traceback__)[-1]
                report.failures[number] = (
                    f"{type(error).__name__}: {str(error)[:300]} ({where.filename}:{where.lineno})"
                )
                if len(numbers) == 1:
                    traceback.print_exc()
            if unexpected:
                report.failures.setdefault(number, f"in a callback, near this case: {unexpected.pop()}")

    async def work_all(fuzzer: Fuzzer, numbers: range) -> None:
        todo = iter(numbers)
        async with asyncio.TaskGroup() as workers:
            for _ in range(fuzzer.at_once):
                workers.create_task(work(fuzzer, todo))

    warm_up = int(len(numbers) * _WARM_UP_SHARE)
    async with FUZZERS[name]() as fuzzer:
        with watched_loop() as report.hold:
            await work_all(fuzzer, numbers[:warm_up])
            before = Footprint.now()
            await work_all(fuzzer, numbers[warm_up:])
        after = Footprint.now()
    report.more_memory_mb = after.memory_mb - before.memory_mb
    report.more_descriptors = after.descriptors - before.descriptors
    report.seconds = time.monotonic() - begun
    return report


def _describe(context: dict[str, object]) -> str:
    return f"{context.get('message')} {context.get('exception')!r}"[:300]


if __name__ == "__main__":
    sys.exit(main())
