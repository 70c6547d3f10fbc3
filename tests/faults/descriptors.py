"""What a process holds open, by kind."""

import os
import re
from collections import Counter
from pathlib import Path


def descriptors(pid: int | None) -> Counter[str] | None:
    """Return how many descriptors of each kind a process holds, `None` where that can't be seen.

    Connections to the engine are left out: a pool keeps some open, as many as it sees fit. The supervisor forbids
    inspection, so that only root can look.
    """
    if pid is None:
        return None
    try:
        numbers = os.listdir(f"/proc/{pid}/fd")
        tcp = _tcp_inodes(pid)
    except OSError:
        return None
    found: Counter[str] = Counter()
    for number in numbers:
        try:
            link = os.readlink(f"/proc/{pid}/fd/{number}")
        except OSError:
            continue
        socket = re.fullmatch(r"socket:\[(\d+)\]", link)
        if socket is None or socket[1] not in tcp:
            found[re.sub(r"\d+", "N", link)] += 1
    return found


def _tcp_inodes(pid: int) -> set[str]:
    lines = Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]
    return {line.split()[9] for line in lines}
