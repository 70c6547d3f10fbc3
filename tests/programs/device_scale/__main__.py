"""The command line: measure, print the table, and say by the exit code whether the targets are met."""

import argparse
import asyncio
import logging
import os
import sys

from tests.faults.sandbox import alone
from tests.programs.bench.figures import Figure, table
from tests.programs.device_scale.emulation import emulated
from tests.programs.device_scale.measuring import ALONE, ROUNDS, figures, measure_beside_hung, measure_scale


def main() -> int:
    """Measure many emulated devices at a time. Returns 0 when both targets are met, else 1."""
    parser = argparse.ArgumentParser(prog="python -m tests.programs.device_scale", description=main.__doc__)
    parser.add_argument("--devices", type=int, default=50, help="healthy devices (default 50)")
    parser.add_argument("--hung", type=int, default=8, help="devices that never answer a login (default 8)")
    arguments = parser.parse_args()
    logging.getLogger("sdk").setLevel(logging.ERROR)  # that hung devices fail is what is wanted
    with alone():
        measured = _measured(arguments.devices, arguments.hung)
    print(table(measured))
    return 1 if any(figure.met is False for figure in measured) else 0


def _measured(devices: int, hung: int) -> list[Figure]:
    with emulated(devices, hung) as emulation:
        scale = asyncio.run(measure_scale(emulation))
        beside_hung = asyncio.run(measure_beside_hung(emulation))
    load = Figure("load average at the end", os.getloadavg()[0], "")
    sessions = 1 + ROUNDS * (ALONE + devices) + hung
    return [*figures(scale, beside_hung, emulation, sessions), load]


if __name__ == "__main__":
    sys.exit(main())
