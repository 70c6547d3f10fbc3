"""From what a person types to the block that is meant."""

import difflib
from collections.abc import Iterable, Sequence
from typing import Final, Protocol, TypeVar

from jobrunner.protocol.catalogue import BlockEntry, Catalogue, ImportProblem
from supervisor.errors import SupervisorError

_SHOWN: Final = 5


class NoSuchBlockError(SupervisorError):
    """No block, or more than one, is meant by ``wanted``.

    ``near`` holds the ids of what may have been meant, ``problems`` the modules that the block may be in and that
    could not be imported.
    """

    def __init__(
        self,
        message: str,
        *,
        wanted: str,
        near: tuple[str, ...] = (),
        problems: tuple[ImportProblem, ...] = (),
    ) -> None:
        super().__init__(message)
        self.wanted = wanted
        self.near = near
        self.problems = problems


class Identified(Protocol):
    """Whatever has a block's id, whole and in its parts."""

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
    """Return the block that ``wanted`` means: ``package/name:1.0.0``, or parts of it.

    Without a version the highest one is taken; a name without its package has to be unique. Raises
    `NoSuchBlockError`.
    """
    return choose_among(catalogue.blocks, wanted, catalogue.problems, len(catalogue.left_out))


def choose_among(
    blocks: Sequence[BlockT], wanted: str, problems: tuple[ImportProblem, ...] = (), left_out: int = 0
) -> BlockT:
    """Return the one of ``blocks`` that ``wanted`` means, as `choose` does. ``left_out`` modules were not imported."""
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
    near = _near_matches(blocks, wanted)
    text = f"There is no block {wanted!r}"
    if near:
        text += f". Did you mean {' or '.join(near)}?"
    else:
        text += f" among the {len(blocks)} that were found."
    if problems:
        lines = "".join(f"\n  {problem}" for problem in problems)
        text += f" It may be where something could not be imported:{lines}"
    if left_out:
        text += "\n" if problems else " "
        text += f"{left_out} module(s) were not imported: `supervisor blocks` tells why."
    return NoSuchBlockError(text, wanted=wanted, near=near, problems=problems)


def _near_matches(blocks: Iterable[Identified], wanted: str) -> tuple[str, ...]:
    by_text: dict[str, list[str]] = {}
    for block in blocks:
        for text in {block.id, block.id.partition(":")[0], block.name}:
            by_text.setdefault(text, []).append(block.id)
    close = difflib.get_close_matches(wanted, by_text, n=_SHOWN, cutoff=0.6)
    found = [block_id for text in close for block_id in by_text[text]]
    return tuple(dict.fromkeys(found))[:_SHOWN]
