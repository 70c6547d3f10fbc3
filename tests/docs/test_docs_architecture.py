"""ARCHITECTURE.md names no file that is not there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("supervisor", "jobrunner", "sdk", "blocks")
# Where a path begins that no package is written before.
BELOW = ("", "supervisor", "sdk/connection", "sdk/compat")
A_FILE = re.compile(r"`([\w./…*-]+\.(?:py|sh|template|txt|yml))`")


def test_each_file_that_the_walk_names_is_there() -> None:
    there = {path.name for package in PACKAGES for path in (ROOT / package).rglob("*.*")}
    named = A_FILE.findall((ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8"))
    assert len(named) > 200  # else the pattern finds nothing any more
    missing = [
        name
        for name in named
        if "…" not in name
        and not any(sorted((ROOT / below).glob(name)) for below in BELOW)
        and ("/" in name or name not in there)
    ]
    assert missing == []
