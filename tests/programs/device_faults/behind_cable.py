"""The device at the end of the cable: started inside its namespace, ended by the end of its standard input."""

import asyncio
import json
import secrets
import subprocess
import sys

from sdk.testing.devices import EmulatedIos, Faults


async def serve(address: str, interface: str, command: str) -> None:
    """Serve on `address`; at `command` the interface goes down."""
    device = EmulatedIos("faults", secrets.token_urlsafe(12), "fault1", faults=Faults(command_hang=command))
    device.host = address
    async with device:
        print(json.dumps(device.as_context()["devices"][0]), flush=True)
        ended = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
        while command not in device.typed and not ended.done():
            await asyncio.sleep(0.02)
        subprocess.run(["ip", "link", "set", interface, "down"], check=True, timeout=20)
        await ended


if __name__ == "__main__":
    asyncio.run(serve(*sys.argv[1:4]))
