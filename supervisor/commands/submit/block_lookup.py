"""Finds the block that a person means among an engine's blocks. Pure."""

import contextlib
import re
from collections.abc import Sequence
from typing import Final

from supervisor.commands.blockserver.block_lookup import NoSuchBlockError, choose_among
from supervisor.engine.submission import OfferedBlock

_PARTIAL: Final = re.compile(r"(?P<name>[^:]+):(?P<version>\d{1,9}(?:\.\d{1,9})?)", re.ASCII)


def choose_offered(offered: Sequence[OfferedBlock], wanted: str) -> OfferedBlock:
    """Return the block that `wanted` means: `package/name:1.0.0` or parts of it, such as `name` or `name:1`.

    A block that a worker offers now wins over one that was offered earlier. Raises `NoSuchBlockError`, which does not
    name blocks that are gone while there are others.
    """
    candidates = [block for block in offered if block.workers_online] or list(offered)
    name = wanted
    if partial := _PARTIAL.fullmatch(wanted):
        name = partial["name"]
        candidates = [block for block in candidates if f":{partial['version']}." in block.id]
    try:
        return choose_among([block for block in candidates if not block.is_gone] or candidates, name)
    except NoSuchBlockError:
        # A person may still mean one that is gone: its jobs wait until a worker has it again.
        with contextlib.suppress(NoSuchBlockError):
            return choose_among(candidates, name)
        raise
