"""From what a person types to the block that an engine knows. Pure."""

import re
from collections.abc import Sequence
from typing import Final

from supervisor.commands.blockserver.block_lookup import choose_among
from supervisor.engine.submission import OfferedBlock

_PARTIAL: Final = re.compile(r"(?P<name>[^:]+):(?P<version>\d{1,9}(?:\.\d{1,9})?)", re.ASCII)


def choose_offered(offered: Sequence[OfferedBlock], wanted: str) -> OfferedBlock:
    """Return the block that `wanted` means: `package/name:1.0.0` or parts of it, such as `name` or `name:1`.

    What a worker offers now goes before what one has offered once. Raises `NoSuchBlockError`.
    """
    candidates = [block for block in offered if block.workers_online] or list(offered)
    name = wanted
    if partial := _PARTIAL.fullmatch(wanted):
        name = partial["name"]
        candidates = [block for block in candidates if f":{partial['version']}." in block.id]
    return choose_among(candidates, name)
