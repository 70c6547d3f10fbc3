"""The setting `--block-slots`: how many jobs of single blocks run at a time. It replaces what they registered."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from jobrunner.protocol.caps import NAMES_CAP
from jobrunner.protocol.catalogue import Catalogue

_ITEM: Final = re.compile(
    r"(?P<block>[^\s/:=]+/[^\s/:=]+(?::\d{1,9}\.\d{1,9}\.\d{1,9})?)\s*=\s*(?P<slots>\d{1,4})", re.ASCII
)


def parse_block_slots(items: Iterable[str]) -> dict[str, int]:
    """Read `package/name=N` and `package/name:1.0.0=N`. Raises `ValueError`, which names the wrong item."""
    slots: dict[str, int] = {}
    for item in items:
        match = _ITEM.fullmatch(item.strip())
        if match is None:
            raise ValueError(f"{item!r} is not package/name=N or package/name:1.0.0=N with a number of jobs")
        if match["block"] in slots:
            raise ValueError(f"{match['block']} is there twice")
        slots[match["block"]] = int(match["slots"])
    if len(slots) > NAMES_CAP:
        raise ValueError(f"more than {NAMES_CAP} are too many")
    return slots


def checked_block_slots(items: list[str]) -> list[str]:
    """Return `items` if they can be read. Raises `ValueError`."""
    parse_block_slots(items)
    return items


def with_block_slots(catalogue: Catalogue, slots: Mapping[str, int]) -> Catalogue:
    """Return the catalogue with these numbers in place of the registered ones; 0 is no limit. A full id wins."""
    if not slots:
        return catalogue
    blocks = []
    for block in catalogue.blocks:
        chosen = slots.get(block.id, slots.get(f"{block.package}/{block.name}"))
        changed = block if chosen is None else block.model_copy(update={"max_concurrent": chosen or None})
        blocks.append(changed)
    return catalogue.model_copy(update={"blocks": tuple(blocks)})


def unknown_in(slots: Mapping[str, int], catalogue: Catalogue) -> list[str]:
    """Return the named blocks that do not exist."""
    known = {block.id for block in catalogue.blocks}
    known |= {f"{block.package}/{block.name}" for block in catalogue.blocks}
    return sorted(slots.keys() - known)
