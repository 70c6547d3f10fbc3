"""The command line: run every program of the benchmark, keep what they measured, and write the page."""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from tests.programs.bench.errors import BenchError
from tests.programs.bench.page.writing import LITTLE, page, pictures

KEPT: Final = Path(__file__).parent / "measured.json"
DOCS: Final = Path(__file__).resolve().parents[4] / "docs"
PAGE: Final = DOCS / "benchmarks.md"
_SECONDS: Final = 3600
_PARTS: Final = ("timeline", "floor", "counts", "growth", "competitors")
_ARGUMENTS: Final = {"competitors": ["--rounds", "3"], "timeline": ["--jobs", "200"]}


def main() -> int:
    """Return 0 when the page is written, 2 when a part could not be measured: what was until then is kept."""
    arguments = _parser().parse_args()
    try:
        for part in [] if arguments.from_kept else arguments.parts or _PARTS:
            _keep(part, _run(part, arguments))
        write(json.loads(KEPT.read_text(encoding="utf-8")), DOCS)
    except (BenchError, OSError) as error:
        print(f"bench-page: {error} The page is as it was.", file=sys.stderr)
        return 2
    print(f"written: {PAGE}")
    return 0


def write(measured: dict[str, Any], directory: Path) -> None:
    """Write the page and its pictures. A part that was never measured is told to be so."""
    (directory / PAGE.name).write_text(page(measured), encoding="utf-8")
    for name, text in pictures(measured).items():
        (directory / name).write_text(text, encoding="utf-8")


def _keep(part: str, measured: dict[str, Any]) -> None:
    """Put a part beside those that were measured before; each knows when and on which machine."""
    kept = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.is_file() else {}
    measured.pop("latencies", None)
    text = json.dumps({**kept, part: measured}, indent=1, ensure_ascii=False)
    KEPT.write_text(text + "\n", encoding="utf-8")


def _run(part: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """Run the program of a part, and return what it measured. Raises `BenchError` when that is nothing."""
    words = ["--jobs", "20"] if part == "timeline" and arguments.quick else _ARGUMENTS.get(part, [])
    if arguments.quick and part != "timeline":
        words = ["--quick", *(["--rounds", "1"] if part == "competitors" else [])]
    if part == "competitors" and arguments.reference:
        words = [*words, "--reference", str(arguments.reference)]
    print(f"--- {part}", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(prefix="neops-bench-") as name:
        file = Path(name) / f"{part}.json"
        command = [sys.executable, "-m", f"tests.programs.bench.{part}", *words, "--json", str(file)]
        subprocess.run(command, stdout=subprocess.DEVNULL, timeout=_SECONDS, check=False)
        if not file.is_file():
            raise BenchError(f"{part} could not be measured.")
        measured: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    measured["machine"]["measured on"] = time.strftime("%Y-%m-%d")
    measured["machine"]["how much"] = LITTLE if arguments.quick else "all"
    return measured


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.programs.bench.page", description="Measure, and write docs/benchmarks.md."
    )
    add = parser.add_argument
    add("parts", nargs="*", metavar="PART", help=f"only these anew: {', '.join(_PARTS)} (default: all)")
    add("--from-kept", action="store_true", help="measure nothing: write the page from what is kept")
    add("--quick", action="store_true", help="few jobs: shows that it runs, not what is measured")
    add(
        "--reference",
        type=Path,
        metavar="DIR",
        help="where the other SDK is installed, as by `make reference`",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
