"""Blocks thought of by somebody who knew the decisions and not the source: what they do harms their own job only."""

import asyncio
import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import aiohttp

from tests.programs.redteam.attack import attack, cannot, check, wait_until
from tests.programs.redteam.between import between
from tests.programs.redteam.scene import Scene, events_of

_BLOCK = "neops_redteam/outsider:1.0.0"
_ORDINARY = "neops_redteam/ordinary:1.0.0"


def _place(scene: Scene, name: str = "place") -> Path:
    place = scene.directory / name
    place.mkdir()
    return place


async def _submit(scene: Scene, name: str, **parameters: Any) -> str:
    return await scene.submit(
        _BLOCK,
        {
            "attack": name,
            **{key: str(value) if isinstance(value, Path) else value for key, value in parameters.items()},
        },
        maxAttempts=1,
    )


async def _ordinary(scene: Scene) -> float:
    began = time.monotonic()
    result = await scene.result_of(await scene.submit(_ORDINARY, {"text": "x"}))
    check(result["success"] and result["data"] == {"text": "x"}, f"another job failed: {result}")
    return time.monotonic() - began


def _fenced() -> None:
    release = tuple(int(part) for part in os.uname().release.split(".")[:2])
    if release < (6, 12):
        cannot("nothing keeps a job of the worker's user from others' processes before Linux 6.12")


def _errors(worker: Any) -> list[str]:
    return [
        str(e)[:600]
        for e in events_of(worker)
        if e.get("level") in ("error", "critical", "ERROR", "CRITICAL")
    ] + [
        line[:300] for line in worker.said().splitlines() if "Traceback" in line and not line.startswith("{")
    ]


@attack("X1", "outcomes whose body carries further or doubled keys, or closes its object early")
async def spliced(scene: Scene) -> str:
    """The body goes into the request as bytes: it must not name another job, nor a second success or message."""
    bodies: list[bytes] = []

    def see(path: str, body: bytes) -> bytes:
        if b"jobExecutionId" in body and b"result" in body:
            bodies.append(body)
        return body

    async with (
        between(scene, request=see) as url,
        scene.worker(engine_url=url, max_job_seconds=120) as worker,
    ):
        place = _place(scene)
        victim = await _submit(scene, "victim", place=place, seconds=100)
        await wait_until((place / "pid").exists, "the victim's start")
        told = []
        for body in (
            f'{{"data":{{"seen":"a"}},"jobExecutionId":"{victim}","success":true,"status":"success","message":"forged"}}',
            f'{{"data":{{"seen":"PAD"}},"jobExecutionId":"{victim}","success":true,"status":"success","message":"forged"}}',
            '{"data":{"seen":"a"},"data":[1,2]}',
            '{"data":{"seen":"PAD"},"data":[1,2]}',
            f'{{"data":{{"seen":"a"}}}}}},"jobExecutionId":"{victim}","x":{{"y":{{"z":1}}',
            f'{{"data":{{"seen":"PAD"}}}}}},"jobExecutionId":"{victim}","x":{{"y":{{"z":1}}',
            '{"data":{"seen":"a"}} {"data":{}}',
            '{"data":{"seen":"PAD"}}\u0000',
            '{"d\\u0061ta":[1],"data":{"seen":"a"}}',
            '{"data":{"seen":"PAD"},"d\\u0061ta":[1]}',
        ):
            job = await _submit(scene, "raw", other=body)
            result = await scene.result_of(job)
            told.append(f"{'ok' if result['success'] else 'failed'}")
            if result["success"]:
                check(
                    isinstance(result["data"], dict) and set(result["data"]) == {"seen"},
                    f"{body[:60]}: {str(result)[:300]}",
                )
                check(result["message"] == "crafted", f"its message: {result['message'][:200]}")
            else:
                told[-1] += f" ({result['message'][:70]!r})"
        check((await scene.job(victim))["finishedAt"] is None, "the victim got a result")
        for body in bodies:
            ids = [v for k, v in json.loads(body, object_pairs_hook=lambda p: p) if k == "jobExecutionId"]
            check(len(ids) == 1 and ids[0] != victim, f"a result names {ids}")
            check(json.loads(body)["jobExecutionId"] == ids[0], "which job it is depends on who reads it")
        (place / "go").touch()
        check((await scene.result_of(victim))["data"] == {"seen": "honest"}, "the victim's result is false")
        check(not _errors(worker), f"errors: {_errors(worker)}")
    kept = sum(text == "ok" for text in told)
    return (
        f"of {len(told)} outcomes {kept} were taken, the others refused; each result names its own job alone"
    )


@attack("X5", "a job sends 8,000 descriptors to the supervisor with its log records")
async def descriptors(scene: Scene) -> str:
    """What comes with a frame must be closed, else the supervisor has none left. It ends the job that sends it."""
    async with scene.worker() as worker:
        await _ordinary(scene)
        place, pid = _place(scene), worker.supervisor_pid
        assert pid is not None
        try:
            before = len(os.listdir(f"/proc/{pid}/fd"))
        except PermissionError:
            cannot("the worker's descriptors may not be looked at by its own user")
        result = await scene.result_of(await _submit(scene, "descriptors", place=place))
        check("Cause: bad_frame" in result["message"], f"the job was not ended for it: {result}")
        check(
            "descriptors came with what it sent" in result["message"], f"its result does not say it: {result}"
        )
        await _ordinary(scene)
        await asyncio.sleep(0.5)
        after = len(os.listdir(f"/proc/{pid}/fd"))
        # A spare that was still to come has some; a single message of the job brought 200.
        check(after - before < 100, f"{before} descriptors became {after} afterwards")
    return f"the supervisor had {before} descriptors before, {after} after"


@attack("X37", "a job sends the supervisor connections that linger, over its channel and the control socket")
async def lingering(scene: Scene) -> str:
    """Who lets go of the last descriptor of one waits in the kernel for its other side: the loop must not."""
    run = _place(scene, "run")
    async with scene.worker(runtime_dir=run) as worker:
        place = _place(scene)
        job = await _submit(scene, "lingering", place=place, other=run / "control.sock", seconds=6.0)
        await wait_until((place / "sent").exists, "the sending")
        took = [await _ordinary(scene) for _ in range(3)]
        result = await scene.result_of(job)
        check(
            "descriptors came with what it sent" in result["message"], f"its result does not say it: {result}"
        )
        check(not _errors(worker), f"errors: {_errors(worker)}")
    return f"others took {max(took):.2f} s at most"


@attack("X39", "a job sends the supervisor a connection that lingers with an urgent byte (MSG_OOB)")
async def lingering_urgently(scene: Scene) -> str:
    """The kernel drops such a byte when a reader comes to it, and closes what came with it in that very call."""
    async with scene.worker() as worker:
        place = _place(scene)
        job = await _submit(scene, "lingering_urgently", place=place, seconds=6.0)
        await wait_until((place / "sent").exists, "the sending")
        took = [await _ordinary(scene) for _ in range(3)]
        result = await scene.result_of(job)
        if result["success"] and "no urgent byte" in result["data"]["seen"]:
            cannot(result["data"]["seen"])
        check(
            "descriptors came with what it sent" in result["message"], f"its result does not say it: {result}"
        )
        check(not _errors(worker), f"errors: {_errors(worker)}")
    return f"others took {max(took):.2f} s at most"


@attack("X40", "a job sends connections that linger to the Unix socket of the worker's health")
async def lingering_at_the_health(scene: Scene) -> str:
    """It is refused, and what it has sent is closed with its connection: nobody may wait for that."""
    run = _place(scene, "run")
    health = run / "health.sock"
    async with scene.worker(runtime_dir=run, health_address=health) as worker:
        place = _place(scene)
        job = await _submit(scene, "lingering_refused", place=place, other=health, seconds=6.0)
        await wait_until((place / "sent").exists, "the sending")
        took = [await _live(health) for _ in range(3)]
        await scene.result_of(job)
        check(max(took) < 3, f"/live was answered after {max(took):.1f} s")
        check(not _errors(worker), f"errors: {_errors(worker)}")
    return f"/live was answered after {max(took):.2f} s at most"


async def _live(health: Path) -> float:
    began = time.monotonic()
    async with (
        aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(health))) as session,
        session.get("http://localhost/live") as answer,
    ):
        check(answer.status == 200, f"/live: {answer.status} {await answer.text()}")
    return time.monotonic() - began


@attack("X38", "a job prints, and holds the lock of that pipe by a call that waits (splice, sendfile)")
async def hold_pipe(scene: Scene) -> str:
    """Who reads a pipe waits for its lock, and no signal ends that: the loop would hang with the job."""
    async with scene.worker() as worker:
        result = await scene.result_of(await _submit(scene, "hold_pipe"))
        check(result["success"] and result["data"] == {"seen": "EINVAL EINVAL EINVAL"}, f"it could: {result}")
        await _ordinary(scene)
        check(not _errors(worker), f"errors: {_errors(worker)}")
    return "each was refused (EINVAL)"


@attack(
    "X-pipe", "three jobs hold the lock of the pipes that they print into, where no filter keeps them from it"
)
async def hold_pipe_unfiltered(scene: Scene) -> str:
    """Each ends at its own limit. The heartbeat, what others print and the end of the worker wait for none."""
    async with scene.worker(isolation="off", max_job_seconds=4) as worker:
        jobs = [await _submit(scene, "hold_pipe") for _ in range(3)]
        await asyncio.sleep(1.0)
        took = [await _ordinary(scene) for _ in range(3)]
        for result in [await scene.result_of(job) for job in jobs]:
            check("Cause: time_limit" in result["message"], f"it did not end at its limit: {result}")
            check("\nx\nx" in result["message"], f"what it printed is missing: {result}")
        await _submit(scene, "hold_pipe")
        await asyncio.sleep(1.0)  # the worker is told to stop meanwhile
        check(not _errors(worker), f"errors: {_errors(worker)}")
    return f"others took {max(took):.2f} s at most"


@attack("X6", "processes of four jobs ask to change their groups without a pause, and are interrupted")
async def groups(scene: Scene) -> str:
    """Each request costs the supervisor a turn of its loop, and an interrupted one is asked again."""
    async with scene.worker(max_concurrent_jobs=5) as worker:
        # So long that another job which had to wait for them would take longer than is checked.
        jobs = [await _submit(scene, "groups", seconds=8.0) for _ in range(4)]
        await asyncio.sleep(1.0)
        waited = [await _ordinary(scene) for _ in range(3)]
        results = await asyncio.gather(*map(scene.result_of, jobs))
        check(max(waited) < 6, f"another job took {max(waited):.1f} s")
        for result in results:
            check(result["success"], f"a job failed: {result['message'][:300]}")
        check(not _errors(worker), f"errors: {_errors(worker)}")
    return f"others took {max(waited):.2f} s at most; asked {[r['data']['seen'] for r in results]}"


@attack("X11", "a job leaves processes in a namespace of processes, without cgroups")
async def namespace(scene: Scene) -> str:
    """A namespace's processes have other numbers inside, and leave their groups by these."""
    async with scene.worker(cgroups="off") as worker:
        place = _place(scene)
        result = await scene.result_of(await _submit(scene, "namespace", place=place))
        if (place / "cannot").exists():
            cannot("no namespace of processes can be made here")
        size = (place / "written").stat().st_size
        check(result["success"], f"the job failed: {result}")
        await asyncio.sleep(0.5)
        check((place / "written").stat().st_size == size, "it wrote after the result")
        check(not [e for e in events_of(worker) if "stuck" in e["event"]], "it took a slot")
        await _ordinary(scene)
    return f"all were killed before the result went out; {size} bytes written"


@attack("X12", "a job has the kernel signal the supervisor: a descriptor's owner, a child's last signal")
async def signals(scene: Scene) -> str:
    """There are more ways to a signal than kill(2)."""
    _fenced()
    async with scene.worker() as worker:
        before = worker.supervisor_pid
        result = await scene.result_of(await _submit(scene, "signals"))
        await _ordinary(scene)
        check(worker.is_running and worker.supervisor_pid == before, "the supervisor ended")
        check(result["success"], f"the job failed: {result['message'][:300]}")
        check("itself: 1" in result["data"]["seen"], f"the job did not even signal itself: {result['data']}")
    return f"the supervisor went on; what the job did: {result['data']['seen']}"


@attack("X15", "a job takes another's channel from its process, and answers in its name")
async def steal(scene: Scene) -> str:
    """By pidfd_getfd(2), and by opening /proc/PID/fd and /proc/PID/mem."""
    _fenced()
    async with scene.worker() as worker:
        place = _place(scene)
        victim = await _submit(scene, "victim", place=place, seconds=20)
        await wait_until((place / "pid").exists, "the victim's start")
        thief = await scene.result_of(await _submit(scene, "steal_channel", place=place))
        (place / "go").touch()
        result = await scene.result_of(victim)
        check(result["data"] == {"seen": "honest"}, f"the victim's result is false: {result}; {thief}")
        check("forged line" not in worker.said(), f"a line was put under another's name: {thief}")
        check(thief["success"], f"the other job failed: {thief['message'][:300]}")
    return f"the victim's result is its own; what the other was told: {thief['data']['seen']}"


@attack("X16", "SIGTERM while four jobs hear no signal, log and ask for groups without end", pings=False)
async def deaf(scene: Scene) -> str:
    """What they send must not hold up the end, and each job must get a failed result."""
    async with scene.worker() as worker:
        place = _place(scene)
        jobs = [await _submit(scene, "deaf", place=place) for _ in range(4)]
        await wait_until(lambda: len(list(place.iterdir())) == 4, "their start")
        await asyncio.sleep(1)
        asked = time.monotonic()
        worker.signal(signal.SIGTERM)
        code = await worker.ended(40)
        took = time.monotonic() - asked
        results = [await scene.result_of(job, 3) for job in jobs]
        check(code == 0, f"it ended with {code}")
        check(not any(result["success"] for result in results), f"one succeeded: {results}")
        check(took < 20, f"it took {took:.1f} s")
        for number in [int(p.name[2:]) for p in place.iterdir()]:
            check(not os.path.exists(f"/proc/{number}"), "one of them lives")
    return f"it ended after {took:.1f} s, and each job has its result"


@attack("X18", "a job sends two outcomes and stops itself, and what it has started writes on")
async def after(scene: Scene) -> str:
    """The result must be the first outcome's, and come only when nothing of the job runs any more."""
    async with scene.worker(cgroups="off"):
        place = _place(scene)
        job = await _submit(scene, "after", place=place)
        began = time.monotonic()
        result = await scene.result_of(job)
        took = time.monotonic() - began
        size = (place / "written").stat().st_size
        await asyncio.sleep(0.5)
        check((place / "written").stat().st_size == size, "something wrote after the result")
        check(result["success"] and result["data"] == {"seen": "first"}, f"the result is false: {result}")
        check(took < 15, f"it took {took:.1f} s")  # its limit is 30
    return f"the first outcome is the result, after {took:.1f} s; {size} bytes were written before it"
