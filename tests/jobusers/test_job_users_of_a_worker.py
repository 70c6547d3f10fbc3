"""The daemon with job users: its start, its files, and its death; and what one without them hides from its jobs."""

import asyncio
import json
import os
import signal
import stat
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from hosting import BLOCKS, ROOT, alive_with
from job_users_support import USERS

from sdk.devengine import DevEngine, EngineOptions
from tests.job_directories import left_by_jobs
from tests.patience import PATIENCE_SECONDS, until

BOUND_SECONDS = 30.0
CAPABILITIES = ("setuid", "setgid", "kill", "chown", "dac_override", "fowner", "sys_ptrace")
NET_RAW = 1 << 13


@dataclass(slots=True)
class Worker:
    """A daemon and its engine."""

    process: asyncio.subprocess.Process
    engine: DevEngine
    state: Path

    @property
    def supervisor(self) -> psutil.Process:
        """The process below the keeper."""
        (supervisor,) = psutil.Process(self.process.pid).children()
        return supervisor

    async def run(self, name: str, **parameters: Any) -> dict[str, Any]:
        """Run a job to its end and return its data."""
        job = self.engine.submit(block=name, parameters=parameters)
        done = await self.engine.wait_for_result(job, PATIENCE_SECONDS)
        result = json.loads(done.result_text or "")
        assert done.result_status == "success", result
        data: dict[str, Any] = result["result"]["data"]
        return data


@asynccontextmanager
async def worker(prefix: tuple[str, ...], *flags: str) -> AsyncIterator[Worker]:
    with tempfile.TemporaryDirectory(prefix="neops-users-") as top:
        Path(top).chmod(0o777)
        async with DevEngine(EngineOptions(without_token=True, database=":memory:")) as engine:
            state = Path(top) / "state"
            process = await asyncio.create_subprocess_exec(
                *(*prefix, sys.executable, "-m", "supervisor", "--engine-url", engine.url),
                *("--function-blocks", f"blocks.testing,{BLOCKS}", "--state-dir", str(state)),
                *("--log-level", "warning", *flags),
                cwd=ROOT,
                env=os.environ | {"PYTHONPATH": str(ROOT), "HOME": top},
                start_new_session=True,
            )
            try:
                await until(lambda: len(engine.registrations()) > 40)
                yield Worker(process, engine, state)
            finally:
                if process.returncode is None:
                    process.terminate()
                await process.wait()


async def test_nothing_stays_alive_after_kill_9_of_the_supervisor_of_job_users(
    prefix: tuple[str, ...],
) -> None:
    marker = f"users-{os.getpid()}"
    async with worker(prefix, "--job-users", f"{USERS[0]}-{USERS[1]}", "--max-concurrent-jobs", "2") as one:
        for name in ("ignore_sigterm_tree", "leave_behind"):
            one.engine.submit(block=f"neops_testing/{name}:1.0.0", parameters={"marker": marker})
        one.engine.submit(block="neops_testing/spin:1.0.0", parameters={})
        await until(lambda: len(alive_with(marker)) == 3)
        await until(lambda: any(user_of(item) >= USERS[0] for item in one.supervisor.children()))
        everything = one.supervisor.children(recursive=True)
        one.supervisor.kill()
        end = time.monotonic() + BOUND_SECONDS
        while left := [item for item in everything if is_running(item)] + alive_with(marker):
            assert time.monotonic() < end, left
            await asyncio.sleep(0.01)
        assert await one.process.wait() == 128 + signal.SIGKILL


def user_of(process: psutil.Process) -> int:
    try:
        return process.uids().real
    except psutil.Error:
        return -1


def is_running(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def test_the_worker_s_own_journal_and_environment_are_closed_to_a_job_user(
    prefix: tuple[str, ...],
) -> None:
    async with worker(prefix, "--job-users", f"{USERS[0]}-{USERS[1]}") as one:
        pid = one.supervisor.pid
        files = ["journal.sqlite3", "journal.sqlite3-wal", "lock"]
        paths = [str(one.state), *(str(one.state / name) for name in files)]
        seen = (await one.run("under_test/tries:1.0.0", text=",".join([*paths, str(pid)])))["value"]
        own = seen.pop("own")
        assert USERS[0] <= own["uids"][0] <= USERS[1]
        assert len(seen) == len(paths) + 7
        assert set(seen.values()) == {"PermissionError"}


async def test_a_worker_with_capabilities_instead_of_root_hands_none_of_them_to_its_jobs(
    prefix: tuple[str, ...],
) -> None:
    """They are ambient, as a unit gives them: they survive a change from one ordinary user to another."""
    given = ",".join(f"+{name}" for name in CAPABILITIES)
    as_user = ("setpriv", f"--inh-caps={given}", f"--ambient-caps={given}", "--reuid=3999999999")
    keeping = (*prefix, *as_user, "--regid=3999999999", "--clear-groups")
    async with worker(keeping, "--job-users", f"{USERS[0]}-{USERS[1]}") as one:
        held = Path(f"/proc/{one.supervisor.pid}/status").read_text()
        assert "CapAmb:\t0000000000000000" not in held, "this would show nothing"
        seen = (await one.run("under_test/tries:1.0.0", text=f"{one.state},{one.supervisor.pid}"))["value"]
        own = seen.pop("own")
        assert USERS[0] <= own["uids"][0] <= USERS[1]
        assert {mask.lstrip("0") for mask in own["capabilities"]} == {""}
        assert set(seen.values()) == {"PermissionError"}
        await until(lambda: not left_by_jobs(one.state / "jobs", ahead=2))


async def test_a_job_of_a_worker_with_capabilities_and_no_job_users_has_only_those_for_the_network(
    prefix: tuple[str, ...],
) -> None:
    """A drop-in for job users may stay when these are taken out of the settings. A job could become root then."""
    given = ",".join(f"+{name}" for name in ("setuid", "setgid", "sys_nice", "net_raw"))
    as_user = ("setpriv", f"--inh-caps={given}", f"--ambient-caps={given}", f"--reuid={USERS[0]}")
    async with worker((*prefix, *as_user, f"--regid={USERS[0]}", "--clear-groups")) as one:
        held = Path(f"/proc/{one.supervisor.pid}/status").read_text()
        assert "CapAmb:\t0000000000000000" not in held, "this would show nothing"
        seen = (await one.run("under_test/tries:1.0.0", text=str(one.supervisor.pid)))["value"]
        assert seen["own"]["uids"] == [USERS[0]] * 3
        assert {int(mask, 16) for mask in seen["own"]["capabilities"]} == {NET_RAW}


async def test_the_supervisor_is_not_dumpable_so_that_a_job_of_the_same_user_can_not_look_into_it(
    prefix: tuple[str, ...],
) -> None:
    """Run as an ordinary user: root may look into everything, dumpable or not."""
    user = USERS[0]
    as_user = ("setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups")
    async with worker((*prefix, *as_user)) as one:
        pid = one.supervisor.pid
        seen = (await one.run("under_test/tries:1.0.0", text=str(pid)))["value"]
        assert seen.pop("own")["uids"] == [user] * 3
        assert user_of(one.supervisor) == user
        assert set(seen.values()) == {"PermissionError"}, seen


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--job-users", f"{USERS[0]}-{USERS[0] + 1}"), "3 users are needed"),
        (("--job-users", "0-7"), "0 is root"),
        (("--job-users", "1-5"), "users or groups of this machine"),
        (("--job-users", "12"), "two numbers"),
        (("--job-users", "9-3"), "above the last"),
    ],
)
async def test_users_that_can_not_work_are_refused_in_one_message(
    prefix: tuple[str, ...], flags: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    code, message = await refused(prefix, tmp_path, *flags)
    assert code in (1, 2)
    assert said in message
    assert message.count("--job-users") >= 1


async def test_a_worker_that_may_not_change_users_says_what_it_lacks(prefix: tuple[str, ...]) -> None:
    with tempfile.TemporaryDirectory(prefix="neops-users-") as top:
        Path(top).chmod(0o777)
        as_user = ("setpriv", "--reuid=3999999999", "--regid=3999999999", "--clear-groups")
        users = f"{USERS[0]}-{USERS[1]}"
        code, message = await refused((*prefix, *as_user), Path(top), "--job-users", users)
        assert code == 2
        assert "CAP_SETUID" in message


async def test_a_worker_does_not_take_users_that_another_one_s_jobs_run_as_and_leaves_their_files_alone(
    prefix: tuple[str, ...],
) -> None:
    users = f"{USERS[0]}-{USERS[1]}"
    shared = Path(f"/dev/shm/neops-of-the-other-{os.getpid()}")
    async with worker(prefix, "--job-users", users, "--max-concurrent-jobs", "2") as one:
        await until(lambda: any(user_of(item) >= USERS[0] for item in one.supervisor.children()))
        shared.touch()
        os.chown(shared, USERS[0], USERS[0])
        try:
            with tempfile.TemporaryDirectory(prefix="neops-users-") as top:
                Path(top).chmod(0o777)
                code, message = await refused(prefix, Path(top), "--job-users", users)
            assert shared.exists(), "a start removes what these users have there, a running job's too"
        finally:
            shared.unlink(missing_ok=True)
        assert code == 1
        assert f", a child of process {one.supervisor.pid}, runs as user " in message
        assert "give each worker numbers of its own" in message
        assert (await one.run("under_test/tries:1.0.0", text=""))["value"]


async def test_users_are_one_worker_s_before_it_has_a_child_and_free_when_it_is_killed(
    prefix: tuple[str, ...],
) -> None:
    first, shared, last = USERS[0], USERS[0] + 4, USERS[1]
    with tempfile.TemporaryDirectory(prefix="neops-users-") as top:
        Path(top).chmod(0o777)
        one = await begun(prefix, Path(top) / "one", "--job-users", f"{first}-{shared}")
        try:
            await until(lambda: has_its_users(Path(top) / "one"))
            (supervisor,) = psutil.Process(one.pid).children()
            code, message = await refused(prefix, Path(top) / "two", "--job-users", f"{shared}-{last}")
            assert code == 1
            assert f"{supervisor.pid}, a child of process {one.pid}, has kept user {shared} for" in message
            assert "give each worker numbers of its own" in message
            supervisor.kill()
            await one.wait()
        finally:
            await end(one)
        again = await begun(prefix, Path(top) / "three", "--job-users", f"{shared}-{last}")
        try:
            await until(lambda: has_its_users(Path(top) / "three"))
        finally:
            await end(again)


async def test_of_two_workers_that_start_at_the_same_moment_with_the_same_users_one_is_refused(
    prefix: tuple[str, ...],
) -> None:
    with tempfile.TemporaryDirectory(prefix="neops-users-") as top:
        Path(top).chmod(0o777)
        places = [Path(top) / "one", Path(top) / "two"]
        both = [await begun(prefix, place, "--job-users", f"{USERS[0]}-{USERS[1]}") for place in places]
        try:
            await until(lambda: any(each.returncode for each in both) or all(map(has_its_users, places)))
            (other,) = [each for each in both if each.returncode is not None]
            _, said = await other.communicate()
            assert other.returncode == 1, said
            assert b"give each worker numbers of its own" in said
            await until(lambda: [has_its_users(place) for place in places].count(True) == 1)
        finally:
            for each in both:
                await end(each)


def has_its_users(directory: Path) -> bool:
    """Whether the worker of this directory has come so far that jobs can pass to theirs. It has no engine to go on."""
    state = directory / "state"
    return state.is_dir() and stat.S_IMODE(state.stat().st_mode) == 0o711


async def begun(prefix: tuple[str, ...], directory: Path, *flags: str) -> asyncio.subprocess.Process:
    """Start a worker for whose engine nobody answers."""
    directory.mkdir(exist_ok=True)
    return await asyncio.create_subprocess_exec(
        *(*prefix, sys.executable, "-m", "supervisor", "--engine-url", "http://127.0.0.1:9", *flags),
        *("--function-blocks", "blocks.testing", "--state-dir", str(directory / "state")),
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT), "HOME": str(directory)},
        stderr=asyncio.subprocess.PIPE,
    )


async def end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
    await process.wait()


async def refused(prefix: tuple[str, ...], directory: Path, *flags: str) -> tuple[int | None, str]:
    """Start a worker that refuses to start; return its exit code and what it said."""
    process = await begun(prefix, directory, *flags)
    try:
        _, said = await asyncio.wait_for(process.communicate(), PATIENCE_SECONDS)
    finally:
        await end(process)
    return process.returncode, said.decode()


async def test_doctor_says_why_job_users_can_not_work(prefix: tuple[str, ...], tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(*prefix, sys.executable, "-m", "supervisor", "doctor", "--json", "--job-users", "1-5"),
        *("--state-dir", str(tmp_path)),
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await asyncio.wait_for(process.communicate(), PATIENCE_SECONDS)
    checks = {item["check"]: item for item in json.loads(out)["checks"]}
    assert checks["job users"]["status"] == "failed"
    assert process.returncode == 1
