"""A copy of the checkout with an environment of its own, whose code is the copy's."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
_PATH_FILE = "_neops_supervisor.pth"


def copy_to(directory: Path) -> Path:
    """Copy what git knows, and make an environment that imports the copy. Returns its interpreter."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        source, target = ROOT / name, directory / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)
    return _environment(directory)


def _environment(directory: Path) -> Path:
    own, ours = directory / ".environment", Path(sys.prefix)
    packages = Path(sysconfig.get_path("purelib"))
    target = own / packages.relative_to(ours)
    target.mkdir(parents=True)
    for entry in packages.iterdir():
        if entry.name != _PATH_FILE:
            (target / entry.name).symlink_to(entry)
    (target / _PATH_FILE).write_text(f"{directory}\n")
    shutil.copy(ours / "pyvenv.cfg", own)
    (own / "bin").mkdir()
    for entry in (ours / "bin").iterdir():
        if entry.is_symlink():
            (own / "bin" / entry.name).symlink_to(os.readlink(entry))
        else:
            content = entry.read_bytes().replace(bytes(ours), bytes(own))
            (own / "bin" / entry.name).write_bytes(content)
            shutil.copymode(entry, own / "bin" / entry.name)
    return own / "bin" / "python"
