"""A job can add the key of a device of its own that nobody has seen yet, and nothing else (ADR 0029)."""

import asyncio
from collections import Counter
from typing import Any, Final

from tests.faults.programs import Worker
from tests.programs.redteam.attack import attack, check
from tests.programs.redteam.scene import Scene, events_of

_BLOCK: Final = "neops_redteam/host_keys:1.0.0"
_KNOWN: Final = "AAAAC3NzaC1lZDI1NTE5AAAAIKtTgMkAF0Jcbnj0QeHEAe2FoTlAAxDpUYR3F0fX3Wlf"
_OURS, _THEIRS, _NEW = "10.0.0.1", "10.0.0.2", "10.0.0.3"
_FLOOD: Final = 3_000
_BESIDE: Final = 20


def _told(worker: Worker) -> Counter[str]:
    return Counter(e["event"] for e in events_of(worker) if e["event"].startswith("host_key"))


async def _job(scene: Scene, devices: list[str], **parameters: Any) -> dict[str, Any]:
    context = {"devices": [{"id": number, "ip": ip} for number, ip in enumerate(devices, 1)]}
    job = await scene.submit(_BLOCK, parameters, context=context, maxAttempts=1)
    result = await scene.result_of(job)
    check(result["success"], f"a job failed: {result['message'][:300]}")
    return dict(result["data"]["known"])


@attack(
    "X-host-keys",
    "a job reports host keys: of other devices, in the place of known ones, and a flood of them",
    short=True,
)
async def made_up_keys(scene: Scene) -> str:
    state = scene.directory / "state"
    state.mkdir()
    kept = state / "known_hosts"
    kept.write_text(f"{_OURS} ssh-ed25519 {_KNOWN}\n{_THEIRS} ssh-ed25519 {_KNOWN}\n")
    async with scene.worker(state_dir=state) as worker:
        before = kept.read_text()
        foreign = [
            (_THEIRS, 22),
            (_OURS, 2222),
            ("fe80::1%lo", 22),
            ("r1.lab", 22),
            ("0.0.0.0", 22),
        ]
        await _job(scene, [_OURS], reported=foreign)
        await _job(scene, [_OURS, _THEIRS], reported=[(_OURS, 22), (_THEIRS, 22)], times=3)
        told = _told(worker)
        check(told["host_key_refused"] == len(foreign), f"refused: {told}")
        check(told["host_key_conflict"] == 6, f"in the place of a known one: {told}")
        check(kept.read_text() == before, f"the worker keeps what a job has made up: {kept.read_text()}")

        flooding, others = _job(scene, [_NEW], reported=[(_THEIRS, 22)], times=_FLOOD), 3
        await asyncio.gather(flooding, *(_job(scene, [_OURS]) for _ in range(others)))
        told = _told(worker)
        lines = told["host_key_refused"] - len(foreign)
        check(lines <= 1 + _BESIDE, f"{lines} lines of the log for one flood")
        check(told["host_key_reports_ignored"] == 1, f"the flood is not told of: {told}")

        # The first key of a device of its own counts, and the next jobs are held to it.
        await _job(scene, [_NEW], reported=[(_NEW, 22)], times=2)
        known = await _job(scene, [_OURS, _NEW], asked=[(_OURS, 22), (_NEW, 22), (_THEIRS, 22)])
        check(known[f"{_OURS}:22"] == [_KNOWN], f"a later job knows another key of {_OURS}: {known}")
        check(len(known[f"{_NEW}:22"]) == 1, f"a later job knows not one key of {_NEW}: {known}")
        check(
            known[f"{_THEIRS}:22"] == [],
            f"a later job knows the key of a device that is not its own: {known}",
        )
    after = kept.read_text().splitlines()
    check(len(after) == 3 and after[:2] == before.splitlines(), f"what the worker has kept: {after}")
    return (
        f"{len(foreign)} keys of other addresses and 6 in the place of known ones were not kept; of {_FLOOD} in a "
        f"flood {lines} were told; the only one kept is the first of the job's own device"
    )
