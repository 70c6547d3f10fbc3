"""The body of a poll. Its list of blocks is written once for each set of blocks, not for each poll. Pure."""

import json
from collections.abc import Sequence
from typing import Any, Final

from jobrunner.protocol.catalogue import BlockEntry

SETS_KEPT: Final = 8
"""If blocks have slots of their own, the set changes when one is full, and soon changes back."""


class PollBodies:
    """Makes the bodies of polls. Writing five hundred blocks for each poll would add half a millisecond to each job."""

    def __init__(self) -> None:
        self._sets: list[tuple[tuple[BlockEntry, ...], bytes]] = []

    def body(self, blocks: Sequence[BlockEntry], worker_uuid: str, limit: int) -> bytes:
        """Return the JSON of a poll for up to `limit` jobs of these blocks (engine contract: polls)."""
        rest = json.dumps({"workerId": worker_uuid, "limit": limit}).encode()
        return b'{"functionBlockIds": ' + self._listed(tuple(blocks)) + b", " + rest[1:]

    def _listed(self, blocks: tuple[BlockEntry, ...]) -> bytes:
        for known, text in self._sets:
            # Mostly they are the same objects: this comparison takes microseconds. Equal blocks give the same text.
            if known == blocks:
                return text
        text = json.dumps([versionable(block) for block in blocks]).encode()
        # Sets of a replaced catalogue have none of its blocks: drop them.
        present = set(map(id, blocks))
        kept = [each for each in self._sets if any(id(block) in present for block in each[0])]
        self._sets = [(blocks, text), *kept][:SETS_KEPT]
        return text


def versionable(block: BlockEntry) -> dict[str, Any]:
    """Return a block's name and version as the engine writes them."""
    major, minor, patch = block.version
    return {
        "name": block.name,
        "package": block.package,
        "majorVersion": major,
        "minorVersion": minor,
        "patchVersion": patch,
    }
