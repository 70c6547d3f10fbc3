"""`make features`: one after the other, each feature is taken away in a copy of the code, and its test must fail."""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.docs.feature_table import Feature, features, text
from tests.programs.features.copies import copy_to
from tests.programs.features.taken_away import TAKEN_AWAY, TakenAway
from tests.programs.mutants.sandbox import run_confined

SECONDS = 240
EXIT_SURVIVED = 1


def main(arguments: list[str] | None = None) -> int:
    """Print a line for each feature. Returns 1 if a test passed without its feature, or failed with it."""
    parser = argparse.ArgumentParser(prog="make features")
    parser.add_argument("numbers", nargs="*", type=int, help="only these features")
    parser.add_argument(
        "--intact", action="store_true", help="leave the features in place: each test must pass"
    )
    given = parser.parse_args(arguments)
    rows = {row.number: row for section in features(text()) for row in section}
    chosen = [each for each in TAKEN_AWAY if not given.numbers or each.number in given.numbers]
    bad = 0
    with tempfile.TemporaryDirectory(prefix="features-") as directory:
        place = Path(directory, "checkout")
        interpreter = copy_to(place)
        for each in chosen:
            began = time.monotonic()
            passed = _passes(each, rows[each.number], place, interpreter, intact=given.intact)
            is_good = passed is given.intact
            bad += not is_good
            seconds = time.monotonic() - began
            became = {True: "passes", False: "fails", None: "was not run"}[passed]
            print(
                f"{'ok  ' if is_good else 'BAD '} {each.number:2}  {rows[each.number].feature}: "
                f"its test {became} {'with' if given.intact else 'without'} it ({seconds:.0f} s)",
                flush=True,
            )
    print(f"{len(chosen) - bad} of {len(chosen)} as it must be")
    return EXIT_SURVIVED if bad else 0


def _passes(each: TakenAway, row: Feature, place: Path, interpreter: Path, *, intact: bool) -> bool | None:
    file = place / each.file
    source = file.read_text(encoding="utf-8")
    if source.count(each.old) != 1:
        raise SystemExit(f"{each.number}: {each.old!r} is not once in {each.file}")
    test, outcome = row.tests[each.test], place / ".outcome"
    outcome.write_text("")
    (place / ".output").write_text("")

    def work() -> None:
        command = [
            str(interpreter),
            "-m",
            "pytest",
            "-q",
            "-x",
            "-n0",
            "-p",
            "no:cacheprovider",
            "-o",
            "timeout=90",
            test,
        ]
        environment = {**os.environ, "PATH": f"{interpreter.parent}{os.pathsep}{os.environ['PATH']}"}
        done = subprocess.run(
            command, cwd=place, env=environment, capture_output=True, text=True, check=False
        )
        (place / ".output").write_text(done.stdout + done.stderr)
        outcome.write_text(str(done.returncode))

    if not intact:
        file.write_text(source.replace(each.old, each.without), encoding="utf-8")
    try:
        run_confined(work, SECONDS)
    finally:
        file.write_text(source, encoding="utf-8")
    code, printed = outcome.read_text(), (place / ".output").read_text()
    if code not in ("", "0", "1") or (code == "0" and " passed" not in printed):
        print(f"{printed[-1000:]}\n{each.number}: the test was not run (pytest ended with {code})")
        return None
    return code == "0"


if __name__ == "__main__":
    sys.exit(main())
