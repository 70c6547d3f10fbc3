"""Block ids `package/name:major.minor.patch`: grammars and version resolution (engine contract: block ids)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from sdk.devengine.errors import RequestError, SubmissionError
from sdk.devengine.options import IdGrammar

_PART = {"0.42": re.compile(r"[^/:\-]+"), "0.43": re.compile(r"[^/:]+")}
_REFERENCE = re.compile(r"([^/:]+)/([^/:]+):(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?")

# The stricter rule of the two generations: if one client refuses a label, it loses its whole poll response.
STEP_LABEL = re.compile(r"(?!(?:parameters|context|steps)\Z)[A-Za-z_]\w*", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class BlockId:
    """The identity of one exact version of a block."""

    package: str
    name: str
    major: int
    minor: int
    patch: int

    def __str__(self) -> str:
        return f"{self.package}/{self.name}:{self.major}.{self.minor}.{self.patch}"


@dataclass(frozen=True, slots=True)
class BlockReference:
    """How a submission names a block: with one, two or three parts of the version."""

    package: str
    name: str
    version: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.package}/{self.name}:{'.'.join(map(str, self.version))}"

    @property
    def exact(self) -> BlockId | None:
        """The block that this names, if all three parts of the version are given."""
        if len(self.version) != 3:
            return None
        return BlockId(self.package, self.name, *self.version)

    def matches(self, block: BlockId) -> bool:
        """Whether `block` is a version that this reference allows."""
        parts = (block.major, block.minor, block.patch)[: len(self.version)]
        return (block.package, block.name, parts) == (self.package, self.name, self.version)


def parse_reference(text: str) -> BlockReference:
    """Read `package/name:M[.m[.p]]`. Raises `SubmissionError`; the major version is mandatory."""
    match = _REFERENCE.fullmatch(text)
    if match is None:
        raise SubmissionError(
            "block must be package/name:major[.minor[.patch]], for example neops_base/echo:1.0.0"
        )
    package, name, *version = match.groups()
    return BlockReference(package, name, tuple(int(part) for part in version if part is not None))


def highest_match(reference: BlockReference, blocks: Iterable[BlockId]) -> BlockId | None:
    """Resolve as the engine does: `M.m` to the highest patch, `M` to the highest minor and patch."""
    return max(filter(reference.matches, blocks), default=None)


def check_grammar(block: BlockId, grammar: IdGrammar) -> None:
    """Raise `RequestError` if package or name is outside the grammar of the client generation."""
    for field, value in (("package", block.package), ("name", block.name)):
        if _PART[grammar].fullmatch(value) is None:
            forbidden = "'/', ':' or '-'" if grammar == "0.42" else "'/' or ':'"
            raise RequestError(
                f"{field} must not be empty or contain {forbidden} (grammar of block ids in {grammar})"
            )
