"""What stands around the worker: an engine that is odd, its own files, its clocks, and signals in odd moments."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import time
from pathlib import Path
from typing import Any, Final

from tests.faults.programs import Worker, children_of
from tests.programs.redteam.attack import attack, check, wait_until
from tests.programs.redteam.between import between
from tests.programs.redteam.scene import STOP_SECONDS, Scene, events_of

_BLOCK: Final = "neops_redteam/ordinary:1.0.0"


async def _succeed(scene: Scene, count: int, seconds: float = 0.0) -> None:
    """Raise `BrokenError` unless so many jobs succeed, each by one result that the engine took."""
    before = await _taken(scene)
    jobs = [await scene.submit(_BLOCK, {"text": str(n), "seconds": seconds}) for n in range(count)]
    await _succeeded(scene, jobs)
    taken = await _taken(scene) - before
    check(taken == count, f"the engine took {taken} results for {count} jobs")


async def _succeeded(scene: Scene, jobs: list[str]) -> None:
    for number, result in enumerate(await asyncio.gather(*map(scene.result_of, jobs))):
        check(result["success"], f"a job failed: {result['message'][:300]}")
        check(result["data"] == {"text": str(number)}, f"a wrong result: {result['data']}")


async def _taken(scene: Scene) -> int:
    records = await scene.engine.ask(scene.session, "GET", "/dev/requests?route=result")
    return sum(record["status"] == 201 for record in records)


def _said(worker: Worker, name: str) -> int:
    return sum(event.get("event") == name for event in events_of(worker))


def _no_traceback(worker: Worker) -> None:
    said = worker.said()
    at = said.find("Traceback (most recent call last)")
    check(at < 0, f"a traceback: {said[max(0, at - 300) : at + 1500]}")


async def _stop(worker: Worker, seconds: float = STOP_SECONDS) -> float:
    """SIGTERM, and return how long the worker took to end with 0 and without leaving a process."""
    family = _family(worker)
    begun = time.monotonic()
    worker.signal(signal.SIGTERM)
    code = await worker.ended(seconds)
    took = time.monotonic() - begun
    check(code == 0, f"exit code {code}: {worker.said()[-1500:]}")
    left = [pid for pid in family if _lives(pid)]
    check(not left, f"processes were left alive: {left}")
    return took


def _family(worker: Worker) -> list[int]:
    found, waiting = [], [worker.pid]
    while waiting:
        below = children_of(waiting.pop())
        found += below
        waiting += below
    return found


def _lives(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    return False


@attack("X21", "the engine gives the same jobs out three times: in one answer, and again in the next two")
async def same_job_again(scene: Scene) -> str:
    """An engine that repeats itself while a job runs must not have it run twice, nor get two results."""
    given: list[Any] = []
    again = 0

    def doubled(path: str, body: bytes) -> bytes:
        nonlocal again
        if path != "/blackboard/job":
            return body
        items = json.loads(body)
        if items:
            given[:] = items
            again = 0
            return json.dumps([*items, *items]).encode()
        if given and again < 2:
            again += 1
            return json.dumps(given).encode()
        return body

    async with (
        between(scene, answer=doubled) as url,
        scene.worker(engine_url=url, max_concurrent_jobs=16) as worker,
    ):
        await _succeed(scene, 4, 4.0)
        check(again == 2, "they were not given out again while they ran: this shows nothing")
        given.clear()
        await asyncio.sleep(0.5)
        started = _said(worker, "job_started")
        results = len(await scene.engine.ask(scene.session, "GET", "/dev/requests?route=result"))
        _no_traceback(worker)
        took = await _stop(worker)
        check(started == 4, f"4 jobs were begun {started} times; {results} results were sent")
    return (
        f"4 jobs, given out again and again, were begun {started} times; {results} results; stop {took:.1f} s"
    )


@attack("X24", "a child is stopped (SIGSTOP) for ever while its job runs, then another at SIGTERM")
async def stopped_child(scene: Scene) -> str:
    """A stopped process can neither cancel its job nor read its stack: the limit and the end must not wait for it."""
    async with scene.worker(max_job_seconds=3, max_concurrent_jobs=1) as worker:
        job = await scene.submit(_BLOCK, {"text": "x", "seconds": 60.0}, maxAttempts=1)
        pid = await _child(worker, 1)
        os.kill(pid, signal.SIGSTOP)
        begun = time.monotonic()
        result = await scene.result_of(job)
        took = time.monotonic() - begun
        check(not result["success"], "a stopped job succeeded")
        check(not _lives(pid), "the stopped child lives")
        await _succeed(scene, 1)
        await scene.submit(_BLOCK, {"text": "x", "seconds": 60.0}, maxAttempts=1)
        os.kill(await _child(worker, 3), signal.SIGSTOP)
        stopped = await _stop(worker)
        _no_traceback(worker)
    return (
        f"the job failed after {took:.1f} s at a limit of 3 s; stop with another one stopped {stopped:.1f} s"
    )


async def _child(worker: Worker, number: int) -> int:
    await wait_until(lambda: _said(worker, "job_started") >= number, f"that job {number} runs")
    return int([event["pid"] for event in events_of(worker) if event["event"] == "job_started"][-1])


@attack(
    "X27", "forty SIGHUPs while .env changes between broken texts, then SIGTERM in the middle of a reload"
)
async def storm_of_reloads(scene: Scene) -> str:
    """Broken settings change nothing, and a reload that is under way does not hold up the end."""
    texts = [
        b"\xff\xfe\x00N\x00E", b"NEOPS_MAX_JOB_SECONDS=banana\n", b"\x00" * 100, b"NEOPS_LOG_LEVEL=\xe9\n", b"=\n==\n",
        "NEOPS_GRACE_SECONDS=1\u0662\n".encode(), b"NEOPS_FUNCTION_BLOCKS=/nowhere\n", b"NEOPS_GRACE_SECONDS='0.5\n",
        b"\xef\xbb\xbfNEOPS_GRACE_SECONDS=nan\n", b"NEOPS_MAX_JOB_SECONDS=1e999\r\nexport A\rB=C\n", b"A" * 900_000,
    ]  # fmt: skip
    async with scene.worker() as worker:
        env = worker.temporary.parent / ".env"
        jobs = [await scene.submit(_BLOCK, {"text": str(n), "seconds": 2.0}) for n in range(4)]
        for n in range(40):
            env.write_bytes(texts[n % len(texts)])
            worker.signal(signal.SIGHUP)
            await asyncio.sleep(0.05)
        await _succeeded(scene, jobs)
        await _succeed(scene, 4)
        refused = _said(worker, "reload_refused")
        check(refused, "no text was refused: this shows nothing")
        env.write_bytes(b"")
        worker.signal(signal.SIGHUP)
        await asyncio.sleep(0.15)
        _no_traceback(worker)
        took = await _stop(worker)
        _no_traceback(worker)
    return f"8 jobs succeeded, {refused} reloads were refused; stop {took:.1f} s after SIGTERM in a reload"


@attack(
    "X28",
    "the journal's file is replaced by a directory, a pipe, a link in a circle, /dev/full, while the worker runs",
)
async def replaced_journal(scene: Scene) -> str:
    """Jobs need no journal. The worker moves away what is no journal of its own, and never waits for a reader."""
    async with scene.worker(state_dir=(state := scene.directory / "state")) as worker:
        for kind in ("directory", "pipe", "circle", "full", "garbage"):
            journal = state / "journal.sqlite3"
            await wait_until(lambda: _replaced(journal, kind), f"the change of the journal to a {kind}")  # noqa: B023
            await _succeed(scene, 2)
        await asyncio.sleep(2.5)
        await _succeed(scene, 2)
        _no_traceback(worker)
        took = await _stop(worker)
    return f"12 jobs succeeded; stop {took:.1f} s"


def _replaced(file: Path, kind: str) -> bool:
    """Put something else in a file's place. False where the worker, which mends it meanwhile, came first."""
    try:
        for one in file.parent.glob(f"{file.name}*"):
            shutil.rmtree(one) if one.is_dir() and not one.is_symlink() else one.unlink()
        _put(file, kind)
    except OSError:
        return False
    return True


def _put(file: Path, kind: str) -> None:
    if kind == "directory":
        file.mkdir()
        (file / "x").touch()
    elif kind == "pipe":
        os.mkfifo(file)
    elif kind == "circle":
        file.symlink_to(file.name)
    elif kind == "full":
        file.symlink_to("/dev/full")
    else:
        file.write_bytes(b"SQLite format 3\x00" + b"\xff" * 5000)


@attack(
    "X32",
    "/dev/shm holds nothing, and the state directory has no inodes left, and is then mounted read-only",
    needs=("mounts of root",),
)
async def nowhere_to_write(scene: Scene) -> str:
    """No inode in the state directory, none in /dev/shm, then a read-only mount: jobs find another place."""
    place = scene.directory / "small"
    place.mkdir()
    mounts = (
        f"mount -t tmpfs -o size=4k,nr_inodes=2,mode=1777 none /dev/shm && touch /dev/shm/x; "
        f'mount -t tmpfs -o nr_inodes=60,size=20m none {place} && exec "$@"'
    )
    prefix = ("unshare", "--mount", "--propagation", "private", "sh", "-c", mounts, "sh")
    async with scene.worker(prefix=prefix, state_dir=place / "state") as worker:
        enter = ("nsenter", f"--target={worker.pid}", "--mount", "sh", "-c")
        await _succeed(scene, 4)
        await _run(
            *enter, f"i=0; while touch {place}/f$i 2>/dev/null; do i=$((i+1)); [ $i -lt 100 ] || exit 1; done"
        )
        await _succeed(scene, 4)
        # Over itself: the kernel makes no mount read-only on which files are open for writing.
        await _run(*enter, f"mount --bind {place} {place} && mount -o remount,bind,ro {place}")
        await _succeed(scene, 4)
        await _run(
            *enter,
            f"umount -l {place} && rm {place}/f* && umount -l /dev/shm && mount -t tmpfs -o mode=000 none /dev/shm",
        )
        await _succeed(scene, 4)
        _no_traceback(worker)
        took = await _stop(worker)
    return f"16 jobs succeeded; stop {took:.1f} s"


async def _run(*command: str) -> None:
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    _, told = await process.communicate()
    check(process.returncode == 0, f"this shows nothing: {told.decode(errors='replace')[:300]}")


@attack(
    "X34", "the worker runs in a time namespace whose clocks are 30 years ahead", needs=("mounts of root",)
)
async def another_time(scene: Scene) -> str:
    """Times that /proc tells are moved too: no process may be taken for a stranger."""
    prefix = ("unshare", "--time", "--boottime", "946000000", "--monotonic", "946000000")
    async with scene.worker(prefix=prefix) as worker:
        await _succeed(scene, 4, 0.5)
        _no_traceback(worker)
        took = await _stop(worker)
    return f"4 jobs succeeded; stop {took:.1f} s"


@attack(
    "X35",
    "the token's file becomes binary, a directory, a pipe, and is gone, while the engine refuses results (401)",
    pings=False,
)
async def odd_tokens(scene: Scene) -> str:
    """What can't be a token is not sent as one, and never waited for: the last good one stays."""
    token = scene.directory / "token"
    true = scene.engine.token_file.read_bytes()
    token.touch(mode=0o600)
    token.write_bytes(true)
    async with scene.worker(engine_token_file=token) as worker:
        for kind in ("binary", "lines", "large", "empty", "directory", "pipe", "circle", "gone"):
            shutil.rmtree(token) if token.is_dir() and not token.is_symlink() else token.unlink(
                missing_ok=True
            )
            texts = {
                "binary": b"\xff\x00\xfe",
                "lines": true + b"X-Other: 1\r\n\r\n" + true,
                "large": b"t" * 9_000_000,
                "empty": b"",
            }
            if kind in texts:
                token.touch(mode=0o600)
                token.write_bytes(texts[kind])
            elif kind != "gone":
                _put(token, kind)
            await scene.engine.ask(scene.session, "POST", "/dev/faults", {"route": "result", "status": 401})
            await _succeed(scene, 1)
        token.touch(mode=0o600)
        token.write_bytes(true)
        await _succeed(scene, 2)
        _no_traceback(worker)
        took = await _stop(worker)
    return f"10 jobs succeeded; stop {took:.1f} s"


@attack("X36", "job ids that are paths, very long, of odd characters, or differ only by what is not seen")
async def odd_ids(scene: Scene) -> str:
    """An id is the engine's text: it names no file, breaks no line of the log, and comes back as it was."""
    odd = [
        "../../../../tmp/neops-x36",
        "/tmp/neops-x36",
        "\u202e\u0000\n\x1b[2J",
        "i" * 200_000,
        ".",
        "CON",
        "\U0001f4a9" * 200,
        "%2e%2e%2f{x}%s",
        "a\u200bb",
    ]
    names: dict[str, str] = {}

    def renamed(path: str, body: bytes) -> bytes:
        if path != "/blackboard/job" or body == b"[]":
            return body
        items = json.loads(body)
        for item in items[: len(odd) - len(names)]:
            false = odd[len(names) % len(odd)]
            key = next(key for key in ("jobExecutionId", "id", "jobId") if key in item)
            names[false] = item[key]
            item[key] = false
        return json.dumps(items).encode()

    def back(path: str, body: bytes) -> bytes:
        if path == "/blackboard/job/result":
            sent = json.loads(body)
            sent["jobExecutionId"] = names.get(sent["jobExecutionId"], sent["jobExecutionId"])
            return json.dumps(sent).encode()
        return body

    async with between(scene, answer=renamed, request=back) as url, scene.worker(engine_url=url) as worker:
        jobs = [await scene.submit(_BLOCK, {"text": str(n)}, maxAttempts=1) for n in range(len(odd))]
        results = await asyncio.gather(*map(scene.result_of, jobs))
        made = [
            path for path in ("/tmp/neops-x36", str(scene.directory / "neops-x36")) if Path(path).exists()
        ]
        check(not made, f"made outside: {made}")
        failed = [(results[n]["message"][:150]) for n in range(len(odd)) if not results[n]["success"]]
        check(all("id" in message.lower() for message in failed), f"{failed}")
        _no_traceback(worker)
        await _succeed(scene, 2)
        took = await _stop(worker)
    return f"{len(odd) - len(failed)} of {len(odd)} succeeded, the others: {failed}; stop {took:.1f} s"
