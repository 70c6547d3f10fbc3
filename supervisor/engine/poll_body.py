"""The body of a poll. What it says of the blocks is written once for each set of them, not for each poll. Pure."""

import json
from collections.abc import Sequence
from typing import Any, Final

from jobrunner.protocol.catalogue import BlockEntry

SETS_KEPT: Final = 8
"""Where blocks have slots of their own, the set changes with each that is full, and soon comes back."""


class PollBodies:
    """Makes the bodies of polls. To write five hundred blocks anew takes half a millisecond, of each job."""

    def __init__(self) -> None:
        self._sets: list[tuple[tuple[BlockEntry, ...], bytes]] = []

    def body(self, blocks: Sequence[BlockEntry], worker_uuid: str, limit: int) -> bytes:
        """Return the JSON of a poll for up to `limit` jobs of these blocks (engine contract: polls)."""
        rest = json.dumps({"workerId": worker_uuid, "limit": limit}).encode()
        return b'{"functionBlockIds": ' + self._listed(tuple(blocks)) + b", " + rest[1:]

    def _listed(self, blocks: tuple[BlockEntry, ...]) -> bytes:
        for known, text in self._sets:
            # Mostly the same objects, which takes microseconds to see; equal ones say the same.
            if known == blocks:
                return text
        text = json.dumps([versionable(block) for block in blocks]).encode()
        # Those of a catalogue that was replaced have none of its blocks.
        present = set(map(id, blocks))
        kept = [each for each in self._sets if any(id(block) in present for block in each[0])]
        self._sets = [(blocks, text), *kept][:SETS_KEPT]
        return text


def versionable(block: BlockEntry) -> dict[str, Any]:
    """Return a block as the engine names it."""
    major, minor, patch = block.version
    return {
        "name": block.name,
        "package": block.package,
        "majorVersion": major,
        "minorVersion": minor,
        "patchVersion": patch,
    }
