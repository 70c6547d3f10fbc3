"""An engine, or what stands before it, that refuses results, lets nobody in, repeats secrets, or never answers."""

import asyncio
import itertools
import json
import os
import sqlite3
import statistics
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from tests.programs.redteam.attack import attack, check, wait_until
from tests.programs.redteam.scene import Scene, events_of

HANG_SECONDS: Final = float(os.environ.get("REDTEAM_HANG_SECONDS", "6"))
"""By hand longer: `REDTEAM_HANG_SECONDS=60 make redteam ARGS=E-hang-all`."""

UNDELIVERED: Final = int(os.environ.get("REDTEAM_UNDELIVERED", "20000"))
"""By hand more: `REDTEAM_UNDELIVERED=100000 make redteam ARGS=D-undelivered`."""

BACK_SECONDS: Final = 5.0
_BLOCK: Final = "neops_redteam/ordinary:1.0.0"
_ROUTES: Final = ("poll", "result", "ping", "worker_jobs", "register", "register_block", "unregister")


async def _fault(scene: Scene, route: str, **fault: Any) -> None:
    await scene.engine.ask(scene.session, "POST", "/dev/faults", {"route": route, **fault})


async def _mend(scene: Scene) -> None:
    await scene.engine.ask(scene.session, "DELETE", "/dev/faults")


async def _requests(scene: Scene, route: str) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = await scene.engine.ask(
        scene.session, "GET", f"/dev/requests?route={route}"
    )
    return records


async def _submit(scene: Scene, count: int, **options: Any) -> list[str]:
    return [await scene.submit(_BLOCK, {"text": str(number)}, **options) for number in range(count)]


async def _check_taken_once(scene: Scene, jobs: list[str]) -> None:
    """Raise `BrokenError` unless each job has succeeded, by one result that the engine took."""
    for result in await asyncio.gather(*map(scene.result_of, jobs)):
        check(result["success"], f"a job failed: {result['message'][:300]}")
    taken = sum(record["status"] == 201 for record in await _requests(scene, "result"))
    check(taken == len(jobs), f"the engine took {taken} results for {len(jobs)} jobs")


async def _hang(scene: Scene, *routes: str) -> str:
    async with scene.worker(heartbeat_seconds=0.5):
        for route in routes:
            await _fault(scene, route, hang=True, times=1_000_000)
        jobs = await _submit(scene, 8)
        await asyncio.sleep(HANG_SECONDS)
        await _mend(scene)
        mended = time.monotonic()
        done = [asyncio.ensure_future(scene.result_of(job)) for job in jobs]
        await asyncio.wait(done, return_when=asyncio.FIRST_COMPLETED)
        first = time.monotonic() - mended
        await asyncio.gather(*done)
        last = time.monotonic() - mended
        check(first <= BACK_SECONDS, f"the first result came {first:.1f} s after the engine answered again")
        await _check_taken_once(scene, jobs)
    return f"{HANG_SECONDS:g} s without answers; first result {first:.1f} s after them, all 8 {last:.1f} s; none twice"


@attack("E-hang-polls", "the engine takes polls and never answers them", pings=False)
async def hanging_polls(scene: Scene) -> str:
    return await _hang(scene, "poll")


@attack("E-hang-results", "the engine takes results and never answers them", pings=False)
async def hanging_results(scene: Scene) -> str:
    return await _hang(scene, "result")


@attack("E-hang-all", "the engine takes every request and never answers any", pings=False)
async def hanging_engine(scene: Scene) -> str:
    return await _hang(scene, *_ROUTES)


@attack("E-hang-pings", "the engine takes pings and never answers them", pings=False)
async def hanging_pings(scene: Scene) -> str:
    async with scene.worker(heartbeat_seconds=0.5):
        await _fault(scene, "ping", hang=True, times=1_000_000)
        hanging = time.monotonic()
        await asyncio.sleep(6.0)
        await _check_taken_once(scene, await _submit(scene, 4))
        sent = [float(record["monotonicSeconds"]) for record in await _requests(scene, "ping")]
        gap = statistics.median(
            later - earlier for earlier, later in itertools.pairwise(sent) if later > hanging
        )
        # Beats that waited for an answer would come every three seconds, when the request has timed out. The median,
        # as one may meet a connection that the engine is just closing, or a machine that stands still.
        check(gap < 1.0, f"pings went out every {gap:.2f} s, at a beat of 0.5 s")
        await _mend(scene)
    return f"pings went out every {gap:.2f} s at a beat of 0.5 s; 4 jobs succeeded meanwhile"


async def _refuse(scene: Scene, status: int) -> str:
    async with scene.worker() as worker:
        await _fault(scene, "result", status=status, body={"message": "not this one", "error": "no"})
        (job,) = await _submit(scene, 1, maxAttempts=1)
        result = await scene.result_of(job)
        check(not result["success"], "it is a success")
        check(f"{status}" in result["message"], f"it does not say why: {result['message'][:300]}")
        check("supervisor journal show 1" in result["message"], f"nor where it is: {result['message'][:400]}")
        await wait_until(lambda: _dead_letters(worker.state_dir) == 1, "the refused result is kept")
    return f"{len(result['message'])} characters say what happened; the refused result is dead letter 1"


def _dead_letters(state_dir: Path) -> int:
    database = sqlite3.connect(f"file:{state_dir}/journal.sqlite3?mode=ro", uri=True)
    try:
        rows = database.execute("SELECT dead_reason IS NOT NULL FROM claims").fetchall()
    finally:
        database.close()
    return len(rows) if all(dead for (dead,) in rows) else -1


@attack("E-400", "the engine refuses a result for good (400)")
async def refused(scene: Scene) -> str:
    return await _refuse(scene, 400)


@attack("E-413", "the engine finds a result too large (413)")
async def too_large(scene: Scene) -> str:
    return await _refuse(scene, 413)


@attack("E-413-all", "the engine answers each result with 413, also what is sent in its place")
async def everything_too_large(scene: Scene) -> str:
    async with scene.worker() as worker:
        await _fault(scene, "result", status=413, body={"message": "too large"}, times=1_000_000)
        await _submit(scene, 4, maxAttempts=1)
        await wait_until(
            lambda: _dead_letters(worker.state_dir) == 8, "each is kept, and what is in its place"
        )
        await asyncio.sleep(1.0)
        tries = len(await _requests(scene, "result"))
        check(tries == 8, f"{tries} tries for 4 results")
    return "4 results and 4 in their place were refused once each, and are dead letters"


@attack("R6", "401, 403, 404 and 407 to results, one after the other", pings=False)
async def not_let_in(scene: Scene) -> str:
    async with scene.worker() as worker:
        for status in (401, 403, 404, 407):
            await _fault(scene, "result", status=status)
        jobs = await _submit(scene, 4)
        await _check_taken_once(scene, jobs)
        said = Counter(event["event"] for event in events_of(worker))
        check(said["result_refused"] == 0, "one was taken for a refusal")
        check(said["results_not_allowed"] == 1, f"it was said {said['results_not_allowed']} times")
    return "4 jobs succeeded after 4 refusals; one error said what to do"


@attack("R22", "a proxy repeats the token, and the one before it, in its error page", pings=False)
async def secrets_repeated(scene: Scene) -> str:
    token = scene.engine.token_file.read_text().strip()
    earlier = scene.directory / "token"
    earlier.touch(mode=0o600)
    earlier.write_text("an-earlier-token-of-this-worker")
    async with _proxy(scene) as (url, says):
        says.append(f"<html>Authorization: Bearer {earlier.read_text()}</html>")
        async with scene.worker(
            engine_url=url, engine_token_file=earlier, ready=False, startup_retry_seconds=60
        ) as worker:
            await wait_until(lambda: "<html>" in worker.said(), "it says what it was answered")
            earlier.write_text(token)
            says.clear()
            await wait_until(lambda: "worker_ready" in worker.said(), "it takes the new token")
            says.append(f"<html>Bearer {token} after an-earlier-token-of-this-worker</html>")
            await _submit(scene, 1)
            await wait_until(lambda: "<html>Bearer" in worker.said(), "it says what it was answered now")
            await asyncio.sleep(1.0)  # by then others have been answered so too
            said = worker.said()
            check(token not in said, "the token is in the log")
            line = next((line for line in said.splitlines() if "earlier-token" in line), "")
            check(not line, f"the token before it is in the log: {line}")
    return "the page is in the log, both tokens are not"


@asynccontextmanager
async def _proxy(scene: Scene) -> AsyncIterator[tuple[str, list[str]]]:
    """Pass requests on until there is something to say instead, which every request but the first gets with a 503."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = next(
                    (
                        int(line[15:])
                        for line in head.split(b"\r\n")
                        if line.lower().startswith(b"content-length:")
                    ),
                    0,
                )
                body = await reader.readexactly(length)
                if says and head.split()[1] != b"/version/compatibility":
                    page = says[0].encode()
                    writer.write(b"HTTP/1.1 503 No\r\nContent-Length: %d\r\n\r\n" % len(page) + page)
                else:
                    inner, outer = await asyncio.open_connection("127.0.0.1", scene.engine.port)
                    outer.write(head.replace(b"\r\n", b"\r\nConnection: close\r\n", 1) + body)
                    writer.write((await inner.read()).replace(b"Connection: close\r\n", b""))
                    outer.close()
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    says: list[str] = []
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        port = server.sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}", says
    finally:
        server.close()


@attack("D-undelivered", "thousands of results of the run before, and an engine that takes none (503)")
async def undelivered(scene: Scene) -> str:
    state_dir = scene.directory / "state"
    async with scene.worker(state_dir=state_dir):
        await _check_taken_once(scene, await _submit(scene, 1))
    _fill(state_dir, UNDELIVERED)
    await _fault(scene, "result", status=503, times=1_000_000)
    async with scene.worker(state_dir=state_dir) as worker:
        await wait_until(lambda: "polls_held_back" in worker.said(), "it asks for no more jobs")
        await asyncio.sleep(4.0)
        memory = _memory_mib(worker.supervisor_pid)
        await _mend(scene)
        await asyncio.sleep(1.0)
    return f"with {UNDELIVERED} results the worker uses {memory:.0f} MiB"


def _fill(state_dir: Path, count: int) -> None:
    database = sqlite3.connect(state_dir / "journal.sqlite3", isolation_level=None)
    text = json.dumps(
        {"jobExecutionId": "none", "status": "failed", "result": {"success": False, "message": "x" * 500}}
    )
    rows = ((f"job-{number}", text.encode()) for number in range(count))
    database.execute("BEGIN")
    database.executemany(
        "INSERT INTO claims (job_id, block_id, worker_uuid, claimed_at, digest, result, checksum) "
        f"VALUES (?, 'a/b:1.0.0', 'w', 1.0, '', ?, {_checksum(text.encode())})",
        rows,
    )
    database.execute("COMMIT")
    database.close()


def _checksum(text: bytes) -> int:
    import zlib

    return zlib.crc32(text)


def _memory_mib(pid: int | None) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / 1024
