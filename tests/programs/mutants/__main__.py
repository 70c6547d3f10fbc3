"""The command line: which mutants of the code do the tests notice?"""

import argparse
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.programs.mutants.book import Judgements, TrialBook
from tests.programs.mutants.campaign import COVERAGE, Campaign, alone_in
from tests.programs.mutants.mutation import Mutant
from tests.programs.mutants.parts import PARTS, NotInCheckoutError, in_checkout, mutants_in
from tests.programs.mutants.report import Report

ROOT: Final = Path(__file__).resolve().parents[3]
WORK: Final = ROOT / ".mutants"
JUDGED: Final = Path(__file__).with_name("judged.toml")
INTERRUPTED: Final = 130


def main() -> int:
    """Run the command.

    Returns 1 when fewer mutants than `--at-least` were killed, 2 when the command could not run.
    """
    options = _options()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        everything = mutants_in(ROOT, tuple(options.only) or PARTS[options.parts])
        files = _test_files(options.tests)
    except NotInCheckoutError as error:
        print(error, file=sys.stderr)
        return 2
    mutants = _chosen(everything, options)
    if not mutants:
        print(
            "There is no such mutant. Check --only and --match; --list prints what there is.", file=sys.stderr
        )
        return 2
    if options.list:
        print("\n".join(f"{mutant.file}:{mutant.line}  {mutant.identity}" for mutant in mutants))
        return 0
    if not files:
        print(f"There is no test_*.py in {' '.join(options.tests)}. Check --tests.", file=sys.stderr)
        return 2
    judgements = Judgements(JUDGED)
    report = Report(judgements, len(mutants))
    try:
        _run(mutants, files, report, options)
    except subprocess.CalledProcessError as error:
        print(f"A copy of the checkout could not be set up: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        seed = f" with --seed {options.seed}" if options.sample else ""
        print(
            f"\nInterrupted. The same command{seed} goes on from here. The checkout was not touched.",
            file=sys.stderr,
        )
        return INTERRUPTED
    except BlockingIOError:
        print(
            f"Another `make mutants` works in {WORK}. Wait for its end, or use another clone.",
            file=sys.stderr,
        )
        return 2
    report.show(judgements.outdated(everything))
    return 0 if report.percent_killed >= options.at_least else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.programs.mutants",
        description="Put small faults into a copy of the code, one at a time, and see which ones the tests notice.",
    )
    parser.add_argument("--parts", choices=sorted(PARTS), default="pure", help="default: %(default)s")
    parser.add_argument("--only", nargs="+", default=[], metavar="PATTERN", help="files, in place of --parts")
    parser.add_argument(
        "--match", default="", metavar="TEXT", help="only mutants whose name has this text in it"
    )
    parser.add_argument(
        "--sample", type=int, default=0, metavar="N", help="try so many of them (default: all)"
    )
    parser.add_argument(
        "--seed", type=int, default=random.SystemRandom().randrange(10**6), help="of the sample"
    )
    parser.add_argument("--tests", nargs="+", default=["tests"], metavar="PATH", help="default: tests")
    parser.add_argument(
        "--budget-seconds",
        type=float,
        default=60,
        metavar="S",
        help="of tests for a mutant (default: %(default)s)",
    )
    parser.add_argument(
        "--at-least", type=float, default=0, metavar="PERCENT", help="else the exit code is 1"
    )
    parser.add_argument(
        "--lanes", type=_at_least_one, default=2, metavar="N", help="side by side (default: %(default)s)"
    )
    parser.add_argument(
        "--fresh", action="store_true", help="forget the trials and recordings of earlier runs"
    )
    parser.add_argument("--list", action="store_true", help="print the mutants, and try none")
    return parser.parse_args()


def _at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def _chosen(everything: list[Mutant], options: argparse.Namespace) -> list[Mutant]:
    mutants = [mutant for mutant in everything if options.match in mutant.identity]
    if not 0 < options.sample < len(mutants):
        return mutants
    print(f"A sample of {options.sample} of {len(mutants)} mutants, seed {options.seed}.", flush=True)
    return random.Random(options.seed).sample(mutants, options.sample)


def _test_files(paths: list[str]) -> list[str]:
    found = {
        file.resolve()
        for path in paths
        for file in ([ROOT / path] if path.endswith(".py") else (ROOT / path).rglob("test_*.py"))
        if file.is_file()
    }
    return sorted(in_checkout(ROOT, file) for file in found)


def _run(mutants: list[Mutant], files: list[str], report: Report, options: argparse.Namespace) -> None:
    WORK.mkdir(exist_ok=True)
    trials = WORK / "trials.jsonl"
    with alone_in(WORK):
        if options.fresh:
            trials.unlink(missing_ok=True)
            shutil.rmtree(WORK / COVERAGE, ignore_errors=True)
        _run_alone(mutants, files, report, trials, options)


def _run_alone(
    mutants: list[Mutant], files: list[str], report: Report, trials: Path, options: argparse.Namespace
) -> None:
    with Campaign(ROOT, WORK, options.lanes) as campaign:
        coverage = campaign.recorded(files)
        campaign.tried(mutants, coverage, TrialBook(ROOT, trials), report, options.budget_seconds)


if __name__ == "__main__":
    sys.exit(main())
