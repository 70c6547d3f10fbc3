"""The engine as a process: it says where it listens, ends at once, and loses nothing when it is killed."""

import asyncio
import errno
import os
import signal
import socket
import sqlite3
import stat
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace

import aiohttp
import pytest
from devengine_support import ECHO, HttpWorker, running_engine

from sdk.devengine import DatabaseError, DevEngine, EngineOptions, EngineOptionsError, Fault, ListenError
from tests.patience import PATIENCE_SECONDS, until

ROOT = Path(__file__).parents[3]
BLOCK = "lab/echo:1.0.0"


async def start(*arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "sdk.devengine", "--port", "0", *arguments),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


def token_file_of(database: Path) -> Path:
    return database.with_suffix(".token")


@asynccontextmanager
async def engine_process(
    database: Path, *arguments: str
) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    process = await start(
        "--database", str(database), "--token-file", str(token_file_of(database)), *arguments
    )
    try:
        line = await asyncio.wait_for(process.stdout.readline(), timeout=PATIENCE_SECONDS)
        assert line.startswith(b"devengine listening on http://127.0.0.1:"), await process.stderr.read()
        yield process, line.split()[-1].decode()
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_jobs_workers_and_registrations_survive_kill_9(tmp_path: Path) -> None:
    database = tmp_path / "engine.sqlite3"
    job = {"block": BLOCK, "parameters": {"text": "x"}}
    async with engine_process(database) as (process, url), HttpWorker(url, token_file_of(database)) as worker:
        await worker.register(ECHO)
        _, answer = await worker.call("POST", "/dev/jobs", [job] * 3)
        pushed, polled, pending = answer["jobIds"]
        await worker.poll(limit=2)
        assert (await worker.push(pushed, message="kept"))[0] == 201
        process.kill()
        assert await process.wait() == -signal.SIGKILL
        uuid = worker.uuid
    async with engine_process(database) as (_, url), HttpWorker(url, token_file_of(database)) as worker:
        worker.uuid = uuid
        assert await worker.ping() == 200
        _, jobs = await worker.call("GET", "/blackboard/jobs")
        assert [(job["jobId"], job["status"]) for job in jobs] == [
            (pushed, "pushed"),
            (polled, "polled"),
            (pending, "pending"),
        ]
        assert (await worker.call("GET", f"/blackboard/jobs/{pushed}/result"))[1]["message"] == "kept"
        assert (await worker.push(polled))[0] == 201
        assert [item["jobId"] for item in (await worker.poll())[1]] == [pending]
        assert (await worker.call("GET", f"/workers/{uuid}/function-blocks"))[1] == [BLOCK]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_cleanly_and_fast_with_requests_under_way(
    tmp_path: Path, number: signal.Signals
) -> None:
    database = tmp_path / "e.sqlite3"
    async with engine_process(database, "--test-controls") as (process, url):
        async with HttpWorker(url, token_file_of(database)) as worker:
            await worker.register()
            await worker.call("POST", "/dev/faults", {"route": "ping", "delaySeconds": 600})
            ping = asyncio.create_task(worker.ping())
            while not await ping_is_delayed(worker):
                await asyncio.sleep(0.01)
            process.send_signal(number)
            assert await asyncio.wait_for(process.wait(), timeout=PATIENCE_SECONDS) == 0
            with pytest.raises(aiohttp.ClientConnectionError):
                await ping
        assert await process.stderr.read() == b""


async def ping_is_delayed(worker: HttpWorker) -> bool:
    """Whether the one ordered fault has been taken, which means that its request is being delayed."""
    _, answer = await worker.call("POST", "/dev/faults", {"route": "log", "status": 500})
    await worker.call("POST", "/blackboard/job/log", {})
    return bool(answer["waiting"] == 1)


async def test_stopping_in_process_is_fast_with_idle_and_busy_connections() -> None:
    async with running_engine() as engine, HttpWorker(engine.url, engine.token_file) as worker:
        await worker.register()
        engine.faults.add(Fault(route="poll", delay_seconds=600))
        polling = asyncio.create_task(worker.poll())
        while engine.faults.waiting:
            await asyncio.sleep(0.001)
        await asyncio.wait_for(engine.stop(), PATIENCE_SECONDS)
        with pytest.raises(aiohttp.ClientConnectionError):
            await polling
        with pytest.raises(aiohttp.ClientConnectorError):
            await worker.ping()


async def test_a_stopped_engine_starts_again_on_its_port_with_its_jobs(tmp_path: Path) -> None:
    engine = DevEngine(EngineOptions(without_token=True, database=tmp_path / "engine.sqlite3"))
    await engine.start()
    port = int(engine.url.rpartition(":")[2])
    job_id = engine.submit(block=BLOCK)
    async with HttpWorker(engine.url, engine.token_file) as worker:
        await worker.register()
        await engine.stop()
        await engine.start(port=port)
        assert await worker.ping() == 200
        assert [item["jobId"] for item in (await worker.poll())[1]] == [job_id]
    await engine.stop()
    await engine.stop()


async def test_the_database_is_one_file_after_a_clean_stop(tmp_path: Path) -> None:
    async with running_engine(database=tmp_path / "engine.sqlite3") as engine:
        engine.submit(block=BLOCK)
    assert [file.name for file in tmp_path.iterdir()] == ["engine.sqlite3"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--host", "0.0.0.0"), "0.0.0.0"),
        (("--unreachable-seconds", "500"), "unreachable_seconds"),
        (("--max-attempts", "0"), "max attempts"),
        (("--port", "70000"), "port"),
        (("--stuck-seconds", "nan"), "stuck_seconds"),
        (("--database", "/nonexistent/engine.sqlite3"), "/nonexistent/engine.sqlite3"),
    ],
)
async def test_a_wrong_option_is_one_clear_line(
    tmp_path: Path, arguments: tuple[str, str], message: str
) -> None:
    process = await start("--database", str(tmp_path / "e"), *arguments)
    output, errors = await asyncio.wait_for(process.communicate(), timeout=PATIENCE_SECONDS)
    assert (process.returncode, output) == (2, b"")
    (line,) = errors.decode().splitlines()
    assert line.startswith("devengine: ")
    assert message in line


async def test_a_port_in_use_is_refused_and_named() -> None:
    async with running_engine() as engine:
        port = int(engine.url.rpartition(":")[2])
        with pytest.raises(ListenError, match=str(port)):
            await DevEngine(EngineOptions(without_token=True, port=port)).start()


async def test_an_address_of_a_family_that_the_kernel_lacks_is_refused_and_nothing_stays_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(family: int) -> None:
        raise OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT))

    path = tmp_path / "engine.sqlite3"
    without_ipv6 = SimpleNamespace(AF_INET6=socket.AF_INET6, socket=refuse)
    said = r"can't listen on ::1 .*choose another one, such as 127\.0\.0\.1"
    with monkeypatch.context() as patch:
        patch.setattr("sdk.devengine.server.socket", without_ipv6)
        with pytest.raises(ListenError, match=said):
            await DevEngine(EngineOptions(without_token=True, host="::1", database=path)).start()
    async with running_engine(database=path):
        pass  # the database is not held


async def test_a_second_engine_on_one_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "engine.sqlite3"
    async with running_engine(database=path) as engine:
        engine.submit(block=BLOCK)
        with pytest.raises(DatabaseError, match="another engine"):
            await DevEngine(EngineOptions(without_token=True, database=path)).start()
        assert len(engine.jobs()) == 1


async def test_a_file_of_another_program_is_left_alone(tmp_path: Path) -> None:
    text, foreign = tmp_path / "notes.txt", tmp_path / "foreign.sqlite3"
    text.write_text("x" * 5000)
    connection = sqlite3.connect(foreign)
    connection.execute("CREATE TABLE mine (x)")
    connection.commit()
    connection.close()
    for path in (text, foreign):
        path.chmod(0o664)
    before = {path: path.read_bytes() for path in (text, foreign)}
    for path, reason in ((text, "not a database"), (foreign, "another program")):
        with pytest.raises(DatabaseError, match=reason):
            await DevEngine(EngineOptions(without_token=True, database=path)).start()
    assert {path: path.read_bytes() for path in (text, foreign)} == before
    assert [stat.S_IMODE(path.stat().st_mode) for path in (text, foreign)] == [0o664, 0o664]


async def test_a_database_of_another_program_that_is_in_wal_mode_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "foreign.sqlite3"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE mine (x)")
    connection.commit()
    connection.close()
    with pytest.raises(DatabaseError, match="another program"):
        await DevEngine(EngineOptions(without_token=True, database=path)).start()


@pytest.mark.parametrize(
    "wrong", [{"offline_seconds": 1}, {"check_interval_seconds": 0}, {"max_attempts": 0}, {"id_grammar": "1"}]
)
def test_an_option_that_can_t_work_is_refused_and_named(wrong: dict[str, object]) -> None:
    with pytest.raises(EngineOptionsError, match=next(iter(wrong)).split("_")[0]):
        EngineOptions(**wrong)


async def test_an_ended_engine_leaves_no_descriptor_and_no_task() -> None:
    async with running_engine():
        pass
    descriptors, tasks = len(os.listdir("/proc/self/fd")), len(asyncio.all_tasks())
    async with running_engine() as engine, HttpWorker(engine.url, engine.token_file) as worker:
        await worker.register()
    # A socket that was closed is gone with a turn of the loop.
    await until(lambda: len(os.listdir("/proc/self/fd")) == descriptors, "no descriptor is left")
    await until(lambda: len(asyncio.all_tasks()) == tasks, "no task is left")
