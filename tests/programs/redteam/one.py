"""`python -m tests.programs.redteam.one NUMBER DIRECTORY`: tries one attack, and prints one line of JSON.

A process of its own for each attack: what hangs is killed with all that it has started, and hurts no other.
"""

import asyncio
import dataclasses
import json
import signal
import sys
import time
from pathlib import Path

from tests.capabilities import lacking
from tests.programs.bench.stage import timed
from tests.programs.redteam.attack import PING_MARGIN_SECONDS, Attack, BrokenError, CannotError
from tests.programs.redteam.attacks import all_attacks
from tests.programs.redteam.finding import Finding, State
from tests.programs.redteam.scene import BEAT_SECONDS, beyond, set_up


async def try_attack(attack: Attack, directory: Path) -> Finding:
    """Try it, and judge it. Raises what the machinery itself raises: that is no finding."""
    begun = time.monotonic()

    def found(state: State, figure: str, ping_seconds: float | None = None) -> Finding:
        return Finding(attack.number, attack.title, state, figure, time.monotonic() - begun, ping_seconds)

    if reason := next(filter(None, map(lacking, attack.needs)), ""):
        return found(State.SKIPPED, reason)
    pings: list[float] = []
    try:
        async with timed(directory, BEAT_SECONDS) as machine_late, set_up(directory) as scene:
            figure = await attack.run(scene)
            if attack.pings:
                pings = await scene.pings()
    except CannotError as error:
        return found(State.SKIPPED, str(error))
    except BrokenError as error:
        return found(State.BROKEN, str(error))
    if not attack.pings:
        return found(State.HELD, figure)
    late = beyond(pings, machine_late)
    if len(pings) < max(1, scene.fewest_pings) or late > PING_MARGIN_SECONDS:
        return found(State.BROKEN, f"{figure}; but {len(pings)} pings came, the worst too late", late)
    return found(State.HELD, figure, late)


def main() -> int:
    """Print the finding. Returns 0 also for an attack that succeeded: that is said in the line."""
    # This signal ends an attack that hangs. A shell has the programs that it starts in the background ignore it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    number, directory = sys.argv[1:]
    finding = asyncio.run(try_attack(all_attacks()[number], Path(directory)))
    print(json.dumps(dataclasses.asdict(finding)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
