"""Copies of the two versions' files. The repository is only read: it gets no worktree that would have to be removed."""

import os
import shutil
from pathlib import Path
from typing import Final

from tests.programs.bench.against.commands import Done, run
from tests.programs.bench.errors import BenchError

ROOT: Final = Path(__file__).resolve().parents[4]
_SECONDS: Final = 60.0


async def commit_of(name: str) -> str:
    """Return the full hash of a commit. Raises `BenchError` when there is none of this name."""
    done = await _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    if done.code:
        raise BenchError(f"There is no commit {name} in {ROOT}.{done.last_words}")
    return done.output.decode().strip()


async def copy_commit(commit: str, target: Path) -> None:
    """Write the files of a commit to `target`, a new directory. Registers nothing in the repository."""
    archive = target.with_suffix(".tar")
    target.mkdir()
    _check(await _git("archive", "--format=tar", f"--output={archive}", commit), "git archive")
    unpacked = await run(["tar", "-x", "-f", archive, "-C", target], target, os.environ, _SECONDS)
    _check(unpacked, "tar")
    archive.unlink()


async def copy_present(target: Path) -> None:
    """Copy the files of this checkout as they are, changed and new ones included; not what git ignores."""
    listed = await _git("ls-files", "-z", "--cached", "--others", "--exclude-standard")
    _check(listed, "git ls-files")
    for name in filter(None, listed.output.decode(errors="surrogateescape").split("\0")):
        source, copy = ROOT / name, target / name
        if source.is_file():  # one that was deleted is still listed
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, copy)


async def _git(*arguments: str) -> Done:
    return await run(["git", *arguments], ROOT, os.environ, _SECONDS)


def _check(done: Done, what: str) -> None:
    if done.code:
        raise BenchError(f"{what} ended with {done.code}.{done.last_words}")
