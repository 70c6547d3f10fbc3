"""What a committed file must not hold: the address of a package registry, or a path of somebody's machine.

Files that are about to be committed count too, so that the test speaks up before the commit and not after it.
"""

import re
import subprocess
from pathlib import Path

import pytest

from tests.patience import PATIENCE_SECONDS

ROOT = Path(__file__).parents[2]

# In pieces, since this file is committed as well.
REGISTRIES = [
    "pypi" + r"\.org",
    "python" + r"hosted\.org",
    "deb\\." + r"debian\.org",
    "registry\\." + "npm",
    "--(extra-)?index" + "-url",
    "--find" + "-links",
]
MACHINE_PATHS = [
    r"(?<![\w.])/(wor" + r"k|roo" + r"t|home/\w+|Users/\w+)/",
    "/opt" + "/wheels",
    r"[.]libr" + "ary/",
]


def committed_files() -> list[Path]:
    """Return the text files that git knows or would add; skip where this is not a git checkout."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, timeout=PATIENCE_SECONDS)
    except (FileNotFoundError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout, or git is not installed: what is committed is not known here")
    paths = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    return [path for path in paths if path.is_file() and b"\0" not in path.read_bytes()[:1024]]


def places(patterns: list[str]) -> list[str]:
    """Return `file:line: match` for each place where one of the patterns stands."""
    wanted = re.compile("|".join(patterns))
    return [
        f"{path.relative_to(ROOT)}:{number}: {found[0]}"
        for path in committed_files()
        for number, line in enumerate(
            path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1
        )
        if (found := wanted.search(line))
    ]


def test_no_committed_file_names_a_package_registry() -> None:
    assert places(REGISTRIES) == []


def test_no_committed_file_holds_a_path_of_one_machine() -> None:
    assert places(MACHINE_PATHS) == []


@pytest.mark.parametrize(
    ("patterns", "text"),
    [
        (REGISTRIES, "https://" + "pypi" + ".org/simple"),
        (REGISTRIES, "--index" + "-url https://mirror.example"),
        (MACHINE_PATHS, "cd /wor" + "k/main"),
        (MACHINE_PATHS, '"/home' + '/ada/project"'),
    ],
)
def test_the_patterns_find_what_they_are_for(patterns: list[str], text: str) -> None:
    assert re.search("|".join(patterns), text)


@pytest.mark.parametrize("text", ["var/lib/neops/work/job", "https://example.net/work/", "$HOME/work/x"])
def test_a_job_s_own_folders_are_no_machine_s_path(text: str) -> None:
    assert not re.search("|".join(MACHINE_PATHS), text)


def test_no_committed_file_holds_both_sides_of_a_merge() -> None:
    assert places(["^<<<<<<" + "< ", "^>>>>>>" + "> ", "^[|]{7} "]) == []
