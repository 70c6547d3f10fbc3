"""Emulated devices in a process of their own, so that they don't share an interpreter with what is measured.

`python -m tests.programs.device_scale.emulation HEALTHY HUNG` prints one line of JSON, the devices' ports, and serves
until the standard input ends. Its last line is the CPU time it has used, in seconds.
"""

import asyncio
import contextlib
import json
import logging
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sdk import DeviceEntity
from sdk.testing.devices import EmulatedIos, Faults

ROOT: Final = Path(__file__).parents[3]
USERNAME: Final = "measured"
PASSWORD: Final = "Copper-Lantern-3141"  # of devices that live for a minute
COMMAND: Final = "show clock"
COMMAND_SECONDS: Final = 0.05


@dataclass(slots=True)
class Emulation:
    """The devices, as a job's context has them. `cpu_seconds` is there when they have ended."""

    healthy: list[DeviceEntity]
    hung: list[DeviceEntity]
    cpu_seconds: float = field(default=0.0)


@contextmanager
def emulated(healthy: int, hung: int) -> Iterator[Emulation]:
    """So many devices while the context lasts. Each takes 50 ms for `COMMAND`; those that hang never answer a login."""
    command = [sys.executable, "-m", "tests.programs.device_scale.emulation", str(healthy), str(hung)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        ports: list[int] = json.loads(process.stdout.readline())
        devices = [_entity(number, port) for number, port in enumerate(ports, 1)]
        emulation = Emulation(devices[:healthy], devices[healthy:])
        try:
            yield emulation
        finally:
            process.stdin.close()
            emulation.cpu_seconds = float(process.stdout.readline() or 0)


def _entity(number: int, port: int) -> DeviceEntity:
    return DeviceEntity.model_validate(
        {
            "id": number,
            "hostname": f"r{number}",
            "ip": "127.0.0.1",
            "username": USERNAME,
            "password": PASSWORD,
            "platform": {"id": 1, "shortName": "ios"},
            "connectionOptions": json.dumps({"port": port}),
        }
    )


async def _serve(healthy: int, hung: int) -> None:
    slow = Faults(pause_in=COMMAND, pause_at_byte=0, pause_seconds=COMMAND_SECONDS)
    faults = [slow] * healthy + [Faults(auth_hang=True)] * hung
    async with contextlib.AsyncExitStack() as stack:
        devices = [
            await stack.enter_async_context(EmulatedIos(USERNAME, PASSWORD, f"r{number}", faults=each))
            for number, each in enumerate(faults, 1)
        ]
        print(json.dumps([device.port for device in devices]), flush=True)
        await asyncio.to_thread(sys.stdin.read)
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(used.ru_utime + used.ru_stime, flush=True)


if __name__ == "__main__":
    logging.getLogger("asyncio").setLevel(logging.ERROR)  # of clients that have left
    asyncio.run(_serve(int(sys.argv[1]), int(sys.argv[2])))
