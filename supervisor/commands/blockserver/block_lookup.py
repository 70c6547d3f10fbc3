"""Finds the block that a person means."""

import difflib
from collections.abc import Iterable, Sequence
from typing import Final, Protocol, TypeVar

from jobrunner.protocol.catalogue import BlockEntry, Catalogue, ImportProblem
from supervisor.errors import SupervisorError

_NEAR: Final = 5
_LISTED: Final = 20


class NoSuchBlockError(SupervisorError):
    """`wanted` means no block, or more than one.

    `near` has the ids that may have been meant, `known` those of all blocks, the nearest first, `problems` the modules
    that may have the block and could not be imported.
    """

    def __init__(
        self,
        message: str,
        *,
        wanted: str,
        near: tuple[str, ...] = (),
        known: tuple[str, ...] = (),
        problems: tuple[ImportProblem, ...] = (),
    ) -> None:
        super().__init__(message)
        self.wanted = wanted
        self.near = near
        self.known = known
        self.problems = problems


class Identified(Protocol):
    """Anything with a block's id, whole and in its parts."""

    @property
    def id(self) -> str:
        """The whole id."""
        ...

    @property
    def package(self) -> str:
        """Its package."""
        ...

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def version(self) -> tuple[int, int, int]:
        """Its version."""
        ...


BlockT = TypeVar("BlockT", bound=Identified)


def choose(catalogue: Catalogue, wanted: str) -> BlockEntry:
    """Return the block that `wanted` means: `package/name:1.0.0`, or parts of it.

    Without a version it takes the highest one; a name without its package must be unique. Raises
    `NoSuchBlockError`.
    """
    return choose_among(catalogue.blocks, wanted, catalogue.not_imported, len(catalogue.left_out))


def choose_among(
    blocks: Sequence[BlockT], wanted: str, problems: tuple[ImportProblem, ...] = (), left_out: int = 0
) -> BlockT:
    """Return the block among `blocks` that `wanted` means, as `choose` does. `left_out` modules were not imported."""
    fitting = [block for block in blocks if _fits(block, wanted)]
    families = sorted({f"{block.package}/{block.name}" for block in fitting})
    if len(families) > 1:
        raise NoSuchBlockError(
            f"{wanted!r} may be {' or '.join(families)}. Name the package too.",
            wanted=wanted,
            near=tuple(block.id for block in fitting),
        )
    if fitting:
        return max(fitting, key=lambda block: block.version)
    raise _unknown(blocks, wanted, problems, left_out)


def _fits(block: Identified, wanted: str) -> bool:
    name, _, version = wanted.partition(":")
    if version and version != ".".join(map(str, block.version)):
        return False
    return name == (f"{block.package}/{block.name}" if "/" in name else block.name)


def _unknown(
    blocks: Sequence[Identified], wanted: str, problems: tuple[ImportProblem, ...], left_out: int
) -> NoSuchBlockError:
    near, known = _near_matches(blocks, wanted), _nearest_first(blocks, wanted)
    text = f"There is no block {wanted!r}."
    if near:
        text += f" Did you mean {' or '.join(near)}?"
    text += _listed("These blocks were found:", known) if known else " No blocks were found."
    if problems:
        heading = "These modules could not be imported; the block may be in one of them:"
        # List all of them: the important one must not be among those that are only counted.
        text += _listed(heading, list(map(str, problems)), most=len(problems))
    if left_out:
        text += f"\n{left_out} module(s) were not imported: `supervisor blocks` tells why."
    return NoSuchBlockError(text, wanted=wanted, near=near, known=known, problems=problems)


def _listed(heading: str, items: Sequence[str], most: int = _LISTED) -> str:
    """Return the heading, a line for each item, and a line with the number of items for which there is no room."""
    shown = [*items[:most], *([f"and {len(items) - most} more"] if len(items) > most else [])]
    return "".join(f"\n{line}" for line in (heading, *(f"  {item}" for item in shown)))


def _nearest_first(blocks: Iterable[Identified], wanted: str) -> tuple[str, ...]:
    """Return the ids of all blocks, those first that are most similar to `wanted`."""

    def distance(block: Identified) -> float:
        spelt = (block.id, f"{block.package}/{block.name}", block.name)
        return -max(difflib.SequenceMatcher(None, wanted, each).ratio() for each in spelt)

    ordered = sorted(blocks, key=lambda block: (distance(block), block.id))
    return tuple(dict.fromkeys(block.id for block in ordered))


def _near_matches(blocks: Iterable[Identified], wanted: str) -> tuple[str, ...]:
    by_text: dict[str, list[str]] = {}
    for block in blocks:
        for text in {block.id, block.id.partition(":")[0], block.name}:
            by_text.setdefault(text, []).append(block.id)
    close = difflib.get_close_matches(wanted, by_text, n=_NEAR, cutoff=0.6)
    found = [block_id for text in close for block_id in by_text[text]]
    return tuple(dict.fromkeys(found))[:_NEAR]
