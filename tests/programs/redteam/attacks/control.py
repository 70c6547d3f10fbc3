"""What a job does to its own worker by the socket over which people control that."""

import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Final

from supervisor.process import kernel_isolation
from tests.programs.redteam.attack import attack, check
from tests.programs.redteam.attacks.memory import let_users_in
from tests.programs.redteam.scene import Scene, events_of

_BLOCK: Final = "contract/asks_worker:1.0.0"
_USERS: Final = "3100000200-3100000209"
_STRANGER: Final = 3100000300
_ASKS: Final = ("itself", "child", "daemon")

_ASK: Final = """
import os, socket, sys
os.setgroups([]); os.setgid(int(sys.argv[1])); os.setuid(int(sys.argv[1]))
with socket.socket(socket.AF_UNIX) as connection:
    connection.settimeout(10)
    try:
        connection.connect(sys.argv[2])
        connection.sendall(sys.argv[3].encode() + b"\\n")
        sys.stdout.write(connection.recv(4096).decode())
    except OSError:
        pass
"""


@attack(
    "X-control-job", "a job that knows the secret asks its own worker, also by a daemon of its", short=True
)
async def job(scene: Scene) -> str:
    async with scene.worker() as worker:
        place = worker.state_dir / "run"
        secret = (place / "control.secret").read_text()
        made = await scene.submit(_BLOCK, {"directory": str(place), "given": secret}, maxAttempts=1)
        result = await scene.result_of(made)
        check(result["success"], f"the job failed: {result['message'][:300]}")
        got = result["data"]["got"]
        answered = {way: got.pop(way) for way in _ASKS}
        check(
            all(answer in {"got: ", "refused: Permission denied"} for answer in answered.values()),
            f"answers: {answered}",
        )
        if kernel_isolation.detect().landlock_abi:
            check(set(got.values()) == {"refused: Permission denied"}, f"files: {got}")
        check(
            any(event["event"] == "control_refused" for event in events_of(worker)), "the log tells nothing"
        )
        check(_is_answered(place, secret), "the worker's own user is not answered any more")
    return f"{len(_ASKS)} ways of asking got no byte"


@attack(
    "X-control-user",
    "a user of the jobs and a stranger ask, with the socket open to all and the secret known",
    needs=("mounts of root", "other users"),
    short=True,
)
async def user(scene: Scene) -> str:
    let_users_in(scene)
    place = scene.directory / "control"
    place.mkdir(mode=0o755)
    async with scene.worker(job_users=_USERS, runtime_dir=place):
        secret = (place / "control.secret").read_text()
        (place / "control.sock").chmod(0o666)
        request = json.dumps({"secret": secret, "command": "status", "arguments": {}})
        for uid in (int(_USERS.split("-")[0]), _STRANGER):
            words = [sys.executable, "-c", _ASK, str(uid), str(place / "control.sock"), request]
            asked = subprocess.run(words, capture_output=True, text=True, timeout=30, check=True)
            check(asked.stdout == "", f"user {uid} got {asked.stdout[:200]!r}")
        check(_is_answered(place, secret), "root is not answered")
    return "two users got no byte"


def _is_answered(place: Path, secret: str) -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(30)
        connection.connect(str(place / "control.sock"))
        request = {"secret": secret, "command": "status", "arguments": {}}
        connection.sendall(json.dumps(request).encode() + b"\n")
        return b"\n" in connection.recv(100)
