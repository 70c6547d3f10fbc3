"""Light each bomb many times, and show how it ended: `python -m tests.bombs --help`.

Run it as a user of which nothing else runs, under a limit of its processes (`prlimit --nproc`).
"""

import argparse
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.bombs.bombing import OPTIONS, bomb, without_privileges
from tests.bombs.kinds import KINDS, WITH_A_STACK
from tests.hosting.hosting import hosted


def line_of(kind: str, seen: list[dict[str, Any]]) -> str:
    """One line of the table."""
    seconds = sorted(one["seconds"] for one in seen)
    left = sum(bool(one["left"]) for one in seen)
    stacks = sum("explode" in one["stack"] or "programs" in one["stack"] for one in seen)
    return (
        f"{kind:22}{len(seen):5}{left:7}{stacks:6}{sum(one['stuck'] for one in seen):6}"
        f"{statistics.median(seconds):10.2f}{seconds[-1]:8.2f}{max(one['latest'] for one in seen):13.2f}"
        f"{statistics.median(one['leftovers'] for one in seen):7.0f}"
        f"  {' '.join(sorted({one['cause'] for one in seen}))}"
    )


def is_well(kind: str, one: dict[str, Any]) -> bool:
    return not one["left"] and not one["stuck"] and (kind not in WITH_A_STACK or bool(one["stack"]))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--kinds", nargs="*", default=KINDS, choices=KINDS)
    given = parser.parse_args()
    print("bomb                   runs left>0 stack stuck  median s  most s  loop late s  swept", flush=True)
    well = True
    with tempfile.TemporaryDirectory() as directory:
        for kind in given.kinds:
            with hosted(Path(directory) / kind, prefix=without_privileges(), **OPTIONS) as host:
                seen = [bomb(host, kind) for _ in range(given.runs)]
            print(line_of(kind, seen), flush=True)
            well = well and all(is_well(kind, one) for one in seen)
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
