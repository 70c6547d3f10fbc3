"""What is left when a worker is killed: nothing, or what its next start clears away."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from cgroups_left import directories_of
from hosting import ROOT, alive_with, is_alive

from sdk.devengine import DevEngine, EngineOptions
from supervisor.log.event import Event
from supervisor.log.events.processes import CgroupsFound, LeftoversCleared
from supervisor.log.events.worker import WorkerReady
from supervisor.process.cgroups import leftovers
from supervisor.process.cgroups.identity import MARKER_VARIABLE, directory_name, identity_of
from tests.log_events import logged
from tests.patience import PATIENCE_SECONDS, until, wait_until

DESCENDANTS = 3


@asynccontextmanager
async def worker(engine: DevEngine, directory: Path, *flags: str) -> AsyncIterator[psutil.Process]:
    """A daemon that is ready. Its log is `directory / "log"`."""
    (directory / "log").touch()
    known = len(told(directory, WorkerReady))
    with (directory / "log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "supervisor", "--engine-url", engine.url),
            *("--function-blocks", "blocks.testing", "--state-dir", str(directory / "state")),
            *("--poll-seconds", "0.1", "--log-format", "json", *flags),
            cwd=directory,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stderr=log,
            start_new_session=True,
        )
    try:
        await until(lambda: len(told(directory, WorkerReady)) > known)
        yield psutil.Process(process.pid)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def told(directory: Path, event: type[Event]) -> list[dict[str, Any]]:
    return logged(directory / "log", event)


def need_cgroups(directory: Path) -> None:
    (found,) = told(directory, CgroupsFound)
    if found["cgroups"].startswith("none ("):
        pytest.skip(found["message"])


async def run_stubborn(engine: DevEngine, marker: str) -> None:
    engine.submit(block="neops_testing/ignore_sigterm_tree:1.0.0", parameters={"marker": marker})
    await until(lambda: len(alive_with(marker)) == DESCENDANTS)


async def kill_both(keeper: psutil.Process, supervisor: psutil.Process, but: str) -> None:
    """End both before either can notice the other's end, and wait until of theirs only what has `but` in its command
    line is left: template, spares and jobs end by themselves, but not at once."""
    family = supervisor.children(recursive=True)
    for process in (supervisor, keeper):
        process.suspend()
    # In this order: the end of the keeper would wake the supervisor, as its process group is an orphan then.
    for process in (supervisor, keeper):
        process.kill()
    await until(lambda: not is_alive(supervisor.pid))
    kept = {int(line.partition(":")[0]) for line in alive_with(but)}
    await until(lambda: not any(is_alive(process.pid) for process in family if process.pid not in kept))


def marker_of(name: str) -> str:
    return f"{name}-{os.getpid()}"


def kill_everything_with(marker: str) -> None:
    for line in alive_with(marker):
        os.kill(int(line.partition(":")[0]), signal.SIGKILL)


@pytest.fixture
async def engine() -> AsyncIterator[DevEngine]:
    async with DevEngine(EngineOptions(without_token=True, database=":memory:")) as engine:
        yield engine


@pytest.mark.parametrize("flags", [(), ("--cgroups", "off")], ids=["auto", "off"])
async def test_the_start_after_both_were_killed_at_once_clears_processes_and_cgroups(
    engine: DevEngine, tmp_path: Path, flags: tuple[str, ...]
) -> None:
    """Nobody was left to clean up: the cgroups, or without them the mark, are all that the next start has."""
    marker = marker_of(f"both-killed-{len(flags)}")
    try:
        async with worker(engine, tmp_path, *flags) as keeper:
            (supervisor,) = keeper.children()
            await run_stubborn(engine, marker)
            await kill_both(keeper, supervisor, marker)
        assert alive_with(marker), "the test needs something to clear"
        async with worker(engine, tmp_path, *flags) as keeper:
            assert alive_with(marker) == []
            (cleared,) = told(tmp_path, LeftoversCleared)
            assert cleared["processes"] > 0
            keeper.send_signal(signal.SIGTERM)
            await until(lambda: not is_alive(keeper.pid))
        assert directories_of(tmp_path / "state") == []
    finally:
        kill_everything_with(marker)


async def test_what_wears_no_mark_is_found_in_its_cgroup(engine: DevEngine, tmp_path: Path) -> None:
    marker = marker_of("unmarked")
    blocks = ("--function-blocks", str(Path(__file__).with_name("hungry_blocks.py")))
    try:
        async with worker(engine, tmp_path, *blocks) as keeper:
            need_cgroups(tmp_path)
            (supervisor,) = keeper.children()
            engine.submit(block="neops_testing/unmarked:1.0.0", parameters={"marker": marker})
            await until(lambda: len(alive_with(marker)) == 1)
            await kill_both(keeper, supervisor, marker)
        assert len(alive_with(marker)) == 1
        async with worker(engine, tmp_path, *blocks):
            assert alive_with(marker) == []
            (cleared,) = told(tmp_path, LeftoversCleared)
            assert cleared["processes"] == 1
    finally:
        kill_everything_with(marker)
    await until(lambda: directories_of(tmp_path / "state") == [])


@pytest.mark.parametrize("victim", ["keeper", "supervisor"])
async def test_whichever_of_the_two_is_left_removes_the_cgroups(
    engine: DevEngine, tmp_path: Path, victim: str
) -> None:
    marker = marker_of(f"killed-{victim}")
    async with worker(engine, tmp_path) as keeper:
        need_cgroups(tmp_path)
        (supervisor,) = keeper.children()
        await run_stubborn(engine, marker)
        assert len(directories_of(tmp_path / "state")) >= 2
        (keeper if victim == "keeper" else supervisor).kill()
        await until(lambda: directories_of(tmp_path / "state") == [])
        await until(lambda: alive_with(marker) == [])


async def test_an_orderly_end_leaves_no_cgroup_and_the_log_says_what_is_used(
    engine: DevEngine, tmp_path: Path
) -> None:
    async with worker(engine, tmp_path) as keeper:
        (supervisor,) = keeper.children()
        assert len(told(tmp_path, CgroupsFound)) == 1
        job = engine.submit(
            block="neops_testing/leave_behind:1.0.0", parameters={"marker": marker_of("left")}
        )
        assert (await engine.wait_for_result(job, PATIENCE_SECONDS)).result_status == "success"
        template = next(child for child in supervisor.children() if child.name() == "neops-template")
        for process in (keeper, supervisor, template):
            assert directory_name("") not in Path(f"/proc/{process.pid}/cgroup").read_text()
        keeper.send_signal(signal.SIGTERM)
        await until(lambda: not is_alive(keeper.pid))
    assert directories_of(tmp_path / "state") == []
    assert told(tmp_path, LeftoversCleared) == []


def marked(identity: str, marker: str) -> "subprocess.Popen[bytes]":
    """A process that was started by a job of the worker with this identity."""
    command = [sys.executable, "-I", "-S", "-c", "import time; time.sleep(600)", marker]
    return subprocess.Popen(command, env={MARKER_VARIABLE: identity})


def test_only_processes_with_the_mark_of_this_state_directory_are_killed(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    mine, other = identity_of(tmp_path / "one"), identity_of(tmp_path / "two")
    assert mine != other
    victim, stranger = marked(mine, "marked-mine"), marked(other, "marked-other")
    try:
        wait_until(lambda: alive_with("marked-mine") and alive_with("marked-other"))
        assert leftovers.kill_marked(mine) == ({victim.pid}, 0)
        assert victim.wait(PATIENCE_SECONDS) == -signal.SIGKILL
        assert stranger.poll() is None
    finally:
        for process in (victim, stranger):
            process.kill()
            process.wait()


@pytest.mark.parametrize(
    "prefix",
    [
        pytest.param((), id="here"),
        # The first process of a container is an ancestor like others.
        pytest.param(
            ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc"),
            marks=pytest.mark.needs("mounts of root"),
            id="as the first process",
        ),
    ],
)
def test_a_process_that_started_this_one_is_spared(tmp_path: Path, prefix: tuple[str, ...]) -> None:
    """A worker that is started by hand from what a job of its own left behind must not end itself."""
    identity = identity_of(tmp_path)
    code = (
        "import subprocess, sys; from supervisor.process.cgroups.leftovers import kill_marked; "
        "print(kill_marked(sys.argv[1])) if len(sys.argv) > 2 else "
        "subprocess.run([sys.executable, '-c', sys.orig_argv[2], sys.argv[1], 'inner'], check=True)"
    )
    ran = subprocess.run(
        [*prefix, sys.executable, "-c", code, identity],
        env=os.environ | {MARKER_VARIABLE: identity, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=True,
    )
    assert ran.stdout == "(set(), 0)\n", ran.stderr


def test_the_identity_stays_with_its_directory_and_does_not_go_with_a_copy(tmp_path: Path) -> None:
    state, copy = tmp_path / "state", tmp_path / "copy"
    state.mkdir()
    copy.mkdir()
    first = identity_of(state)
    assert identity_of(state) == first
    (copy / "identity").write_text((state / "identity").read_text())
    assert identity_of(copy) != first
    assert (state / "identity").stat().st_mode & 0o777 == 0o600


def test_a_record_that_names_anything_else_harms_nothing_and_nothing_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[Path] = []

    def end(place: Path, bound_seconds: float) -> tuple[set[int], bool]:
        ended.append(place)
        return set(), True

    monkeypatch.setattr(leftovers, "kill_and_remove", end)
    precious = tmp_path / "precious"
    precious.mkdir()
    no_cgroup = tmp_path / directory_name(identity_of(tmp_path))
    no_cgroup.mkdir()
    (tmp_path / leftovers.RECORD).write_text(f"{precious}\nrelative\n\n{no_cgroup}\n/\n/sys/fs/cgroup\n")
    assert not leftovers.clear(tmp_path, identity_of(tmp_path), [])
    assert ended == []
    assert precious.is_dir()
    assert no_cgroup.is_dir()
