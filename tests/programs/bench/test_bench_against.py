"""`make bench AGAINST=…` as a whole: its short form, and that nothing is left of it whatever goes wrong."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from tests.patience import PATIENCE_SECONDS
from tests.programs.bench.against.report import FIGURES
from tests.programs.bench.versions_support import BROKEN, ENDLESS, SET_UP, commit, git

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of this checkout's files, with a set-up that takes no time. No test changes it: `changeable`."""
    if shutil.which("git") is None:
        pytest.skip("there is no git")
    copy = tmp_path_factory.mktemp("unchanged") / "repository"
    ignored = shutil.ignore_patterns(
        ".venv*", ".git", "__pycache__", ".*_cache", ".hypothesis", ".mutants", "dist"
    )
    shutil.copytree(ROOT, copy, ignore=ignored)
    shutil.copy(ROOT / ".gitignore", copy)
    git(copy, "init", "--quiet")
    commit(copy, SET_UP)
    return copy


@pytest.fixture
def changeable(unchanged: Path, tmp_path: Path) -> Path:
    """A clone of it that belongs to one test."""
    clone = tmp_path / "repository"
    git(unchanged, "clone", "--quiet", "--shared", str(unchanged), str(clone))
    return clone


class Bench:
    """Runs `python -m tests.programs.bench` in a repository, with a temporary directory of its own."""

    def __init__(self, repository: Path, directory: Path) -> None:
        self.temporary = directory / "temporary"
        self.temporary.mkdir()
        self.pids = directory / "pids"
        self._repository = repository
        self._process: asyncio.subprocess.Process | None = None

    async def start(self, *arguments: str) -> asyncio.subprocess.Process:
        variables = {
            **os.environ,
            "PYTHONPATH": str(self._repository),
            "TMPDIR": str(self.temporary),
            "BENCH_TEST_PIDS": str(self.pids),
        }
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.programs.bench", *arguments,
            cwd=self._repository, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

        return self._process

    async def end(self) -> None:
        """End it if a test has failed to."""
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            await self._process.communicate()

    async def run(self, *arguments: str) -> tuple[int, str, str]:
        process = await self.start(*arguments)
        output, errors = await process.communicate()
        assert process.returncode is not None
        return process.returncode, output.decode(), errors.decode()

    def left(self) -> list[str]:
        """What is left of it: files, worktrees, and processes, which are known by where they work."""
        entries = [str(path) for path in self.temporary.iterdir()]
        worktrees = git(self._repository, "worktree", "list").splitlines()[1:]
        return [
            *entries,
            *worktrees,
            *(str(process) for process in psutil.process_iter() if self._owns(process)),
        ]

    def _owns(self, process: psutil.Process) -> bool:
        try:
            words = [process.cwd(), *process.cmdline()]
        except psutil.Error:
            return False
        return any(str(self.temporary) in word for word in words)


@pytest.fixture
async def bench(unchanged: Path, tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench(unchanged, tmp_path)
    yield bench
    await bench.end()


@pytest.fixture
async def bench_of_changes(changeable: Path, tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench(changeable, tmp_path)
    yield bench
    await bench.end()


@pytest.mark.timeout(240)
async def test_one_short_pair_measures_both_versions_by_their_own_code(
    bench: Bench, unchanged: Path, tmp_path: Path
) -> None:
    file = tmp_path / "figures.json"
    code, output, errors = await bench.run("--against=HEAD", "--quick", f"--json={file}")
    assert code == 0, errors
    assert git(unchanged, "rev-parse", "--short=7", "HEAD") in output
    assert "too few" in output
    ((against, present),) = json.loads(file.read_text())["pairs"]
    # What this machine does not show to this user is left out of both.
    expected = {figure.key for figure in FIGURES} - {"memory", "system calls", "fsyncs"}
    assert expected <= against.keys() == present.keys()
    assert all(value > 0 for side in (against, present) for value in side.values())
    assert bench.left() == []


async def test_a_commit_that_does_not_exist_is_one_message_and_leaves_nothing(
    bench: Bench, unchanged: Path
) -> None:
    code, output, errors = await bench.run("--against=no-such-commit")
    assert (code, output) == (2, "")
    assert errors.splitlines() == [f"bench: There is no commit no-such-commit in {unchanged}."]
    assert bench.left() == []


async def test_a_version_that_does_not_build_is_one_message_and_leaves_nothing(
    bench_of_changes: Bench, changeable: Path
) -> None:
    broken = commit(changeable, BROKEN)
    commit(changeable, ENDLESS)
    code, output, errors = await bench_of_changes.run(f"--against={broken}")
    assert (code, output) == (2, "")
    assert f"bench: The version {broken[:7]} does not build: its set-up ended with 3." in errors
    assert errors.count("bench:") == 1
    assert "no such package: frobnicate" in errors
    assert bench_of_changes.left() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_an_interrupted_comparison_leaves_nothing(
    bench_of_changes: Bench, changeable: Path, number: signal.Signals
) -> None:
    commit(changeable, ENDLESS)
    process = await bench_of_changes.start("--against=HEAD")
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not bench_of_changes.pids.exists() or not bench_of_changes.pids.read_text().endswith("\n"):
            await asyncio.sleep(0.05)
        process.send_signal(number)
        # As when make passes on what the terminal has sent to both.
        process.send_signal(number)
        _, errors = await process.communicate()
    assert process.returncode == 130
    assert errors.decode().splitlines()[-1] == "bench: interrupted."
    assert not any(psutil.pid_exists(int(pid)) for pid in bench_of_changes.pids.read_text().split())
    assert bench_of_changes.left() == []


@pytest.mark.parametrize("arguments", [("--pairs=0",), ("--pairs=many",), ("--pairs=3",)])
async def test_a_number_of_pairs_that_means_nothing_is_refused(bench: Bench, arguments: tuple[str]) -> None:
    code, output, errors = await bench.run(*arguments)
    assert (code, output) == (2, "")
    assert "--pairs" in errors
    assert bench.left() == []


@pytest.mark.timeout(240)
async def test_an_interrupted_pair_leaves_no_worker_and_no_engine(bench: Bench) -> None:
    process = await bench.start("--against=HEAD")
    top = psutil.Process(process.pid)
    below: list[psutil.Process] = []
    async with asyncio.timeout(200):
        # Two engines, and a worker with its supervisor, template and spares.
        while len(below) < 6:
            assert process.returncode is None
            below = top.children(recursive=True)
            await asyncio.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, errors = await process.communicate()
    assert process.returncode == 130, errors.decode()
    assert not any(one.is_running() for one in below)
    assert bench.left() == []
