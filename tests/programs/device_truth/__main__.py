"""The command line: seeded cases in simulated time, and every pause over SSH beside netmiko alone."""

import argparse
import asyncio
import sys
import warnings
from collections.abc import Sequence

from netmiko import ConnectHandler, NetmikoBaseException
from paramiko import SSHException

from sdk.connection import Login, connect
from sdk.testing.devices import EmulatedIos, Faults
from tests.programs.device_truth.simulation import outcome, random_case

PASSWORD = "never-to-be-seen-1"
NOTES = "first line\nr1#\nr1#\nr1# and more of a line\nr1>\nlast line, and r1#"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the campaign. Returns 0 when no output was cut, else 1."""
    parser = argparse.ArgumentParser(prog="python -m tests.programs.device_truth", description=main.__doc__)
    parser.add_argument("--cases", type=int, default=1000, help="cases in simulated time (default 1000)")
    parser.add_argument("--seed", type=int, default=0, help="the first one (default 0)")
    parser.add_argument("--pauses", type=int, default=60, help="pauses over SSH (default 60)")
    options = parser.parse_args(arguments)
    warnings.filterwarnings("ignore")  # of what old algorithms are, by the library of the emulated device
    wrong = 0
    for seed in range(options.seed, options.seed + options.cases):
        case = random_case(seed)
        if outcome(case, seed) != case.output:
            wrong += 1
            print(f"NO: seed {seed}: {case}: {outcome(case, seed)!r}")
    print(f"simulated: {options.cases} cases, {wrong} outputs not as the device said them")
    ours, netmikos = asyncio.run(_over_ssh(options.pauses))
    print(f"over SSH: {options.pauses} pauses, {ours} wrong; netmiko alone: {netmikos} wrong")
    return 1 if wrong or ours else 0


async def _over_ssh(pauses: int) -> tuple[int, int]:
    length = len(NOTES.replace("\n", "\r\n")) + 2
    places = sorted({1 + (length - 1) * number // max(1, pauses) for number in range(pauses)})
    turns = asyncio.Semaphore(4)

    async def one(at: int) -> tuple[bool, bool]:
        faults = Faults(outputs={"show notes": NOTES}, pause_in="show notes", pause_at_byte=at)
        async with turns, EmulatedIos("admin", PASSWORD, "r1", faults=faults) as device:
            login = Login(device.host, "admin", device.port, PASSWORD)
            async with connect(login, platform="ios") as conn:
                ours = (await conn.send_command("show notes", timeout=60)).output
            netmikos = await asyncio.to_thread(_by_netmiko, device)
        if ours != NOTES:
            print(f"NO: a pause at byte {at}: {ours!r}")
        return ours != NOTES, netmikos != NOTES

    found = await asyncio.gather(*(one(at) for at in places))
    return sum(ours for ours, _ in found), sum(netmikos for _, netmikos in found)


def _by_netmiko(device: EmulatedIos) -> str:
    """Return what netmiko alone makes of it. That it gives up counts as wrong, and ends nothing here."""
    try:
        with ConnectHandler(
            device_type="cisco_ios", host=device.host, port=device.port, username="admin", password=PASSWORD
        ) as connection:
            return str(connection.send_command("show notes")).strip("\n")
    except (NetmikoBaseException, SSHException, OSError) as error:
        return f"{type(error).__name__}: {error}"


if __name__ == "__main__":
    sys.exit(main())
