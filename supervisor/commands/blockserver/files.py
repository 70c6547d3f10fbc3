"""How the source files of a set of blocks are now, so that a change of one of them is seen."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from jobrunner.protocol.catalogue import BlockEntry, Catalogue, ImportProblem

Fingerprint = frozenset[tuple[str, int, int]]
"""Path, time of the last change in nanoseconds, and size in bytes, of each file."""


def fingerprint(sources: Iterable[str], catalogue: Catalogue) -> Fingerprint:
    """Look at every Python file below the sources that are directories, and beside each module that was imported.

    Beside, because an author's block imports modules of its own that no catalogue lists.
    """
    places: tuple[BlockEntry | ImportProblem, ...] = (*catalogue.blocks, *catalogue.problems)
    folders = {Path(place.file).parent for place in places if place.file}
    trees = {Path(source) for source in sources if Path(source).is_dir()}
    return frozenset(_stamps(folders, trees))


def _stamps(folders: set[Path], trees: set[Path]) -> Iterator[tuple[str, int, int]]:
    files = {file for folder in folders for file in folder.glob("*.py")}
    files |= {file for tree in trees for file in tree.rglob("*.py")}
    for file in files:
        try:
            status = os.stat(file)
        except OSError:
            continue  # gone since it was listed, which is a change too
        yield str(file), status.st_mtime_ns, status.st_size
