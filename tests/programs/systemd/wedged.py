"""The worker, with a poller that is wedged for good once a file is there, and with less patience for it.

python wedged.py, in the place of `supervisor`. What a turn waits for is bounded by 6 s; 15 s are
granted otherwise.
"""

import asyncio
import os
import sys
from typing import Final

from supervisor.cli import main
from supervisor.worker import poller

WEDGE: Final = "/opt/log/wedge"
TURN_SECONDS: Final = 7.0

_turn = poller.Poller._poll_or_pause


async def _turn_or_wedge(self: poller.Poller) -> None:
    if os.path.exists(WEDGE):
        os.unlink(WEDGE)  # the next run is not to be wedged
        await asyncio.get_running_loop().create_future()
    await _turn(self)


poller.TURN_SECONDS = TURN_SECONDS  # type: ignore[misc]
poller.Poller._poll_or_pause = _turn_or_wedge  # type: ignore[method-assign]

if __name__ == "__main__":
    sys.exit(main())
