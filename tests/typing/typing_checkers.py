"""Two type checkers over modules as an author writes them, and what these modules expect of them.

A line that a checker must refuse ends in a comment: `# expect: mypy[arg-type] basedpyright[reportArgumentType]`.
Every other line must be accepted. So `assert_type` says what is inferred, and the comments say what is noticed.
"""

import json
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

from tests.patience import PATIENCE_SECONDS

AUTHORED = Path(__file__).with_name("authored")

_EXPECTED = re.compile(r"# expect: (?P<complaints>.*)$")
_COMPLAINT = re.compile(r"(?P<checker>\w+)\[(?P<code>[\w-]+)\]")
_MYPY_LINE = re.compile(
    r"^(?P<file>[^:]+):(?P<line>\d+): error: (?P<text>.*)  \[(?P<code>[\w-]+)\]$", re.MULTILINE
)


@dataclass(frozen=True, order=True)
class Complaint:
    """What a checker says of one line of a module."""

    module: str
    line: int
    code: str


Complaints = dict[Complaint, str]
"""With the checker's own words."""


def expected_of(checker: str) -> set[Complaint]:
    """Read what the modules expect of `checker`."""
    return {
        Complaint(path.stem, number, found["code"])
        for path in AUTHORED.glob("*.py")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if (comment := _EXPECTED.search(line))
        for found in _COMPLAINT.finditer(comment["complaints"])
        if found["checker"] == checker
    }


def environment_with(wheel: Path, where: Path) -> Path:
    """Make an environment as an author has one: our wheel is installed, our source is not there.

    Return its interpreter. What the wheel depends on is taken from the environment of the tests.
    """
    venv.create(where, with_pip=False, symlinks=True)
    (site_packages,) = where.glob("lib/python*/site-packages")
    with zipfile.ZipFile(wheel) as opened:
        opened.extractall(site_packages)
    # A .pth file inside of that folder, such as that of our editable install, is not followed.
    site_packages.joinpath("dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return where / "bin" / "python"


def authored_in(folder: Path) -> Path:
    """Copy the modules to a folder of their own, where no configuration of ours is in reach."""
    shutil.copytree(AUTHORED, folder)
    return folder


def mypy(modules: Path, python: Path) -> Complaints:
    """Return what mypy says in its strict mode, without the plugin of pydantic."""
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--no-error-summary"]
    command += ["--python-executable", str(python), "--cache-dir", str(modules.parent / "mypy"), "."]
    done = _run(command, modules)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return {
        Complaint(Path(found["file"]).stem, int(found["line"]), found["code"]): found["text"]
        for found in _MYPY_LINE.finditer(done.stdout)
    }


def basedpyright(modules: Path, python: Path) -> Complaints:
    """Return what basedpyright says in the mode that pyright calls its standard one."""
    modules.joinpath("pyrightconfig.json").write_text('{"typeCheckingMode": "standard"}')
    command = [sys.executable, "-m", "basedpyright", "--outputjson", "--pythonpath", str(python), "."]
    done = _run(command, modules)
    said = json.loads(done.stdout)["generalDiagnostics"]
    return {
        Complaint(Path(item["file"]).stem, item["range"]["start"]["line"] + 1, item["rule"]): item["message"]
        for item in said
        if item["severity"] == "error"
    }


def _run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )
