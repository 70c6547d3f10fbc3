"""Compares what blocks declare with what the engine accepts (engine contract: block ids, block registration). Pure."""

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from jobrunner.protocol.catalogue import BlockEntry
from supervisor.commands.check.finding import Finding, Level

MAX_HELP_LENGTH: Final = 255
"""The engine keeps the help text in a varchar(255) column."""

_ID: Final = re.compile(r"[^/:\s]+/[^/:\s]+:\d{1,9}\.\d{1,9}\.\d{1,9}", re.ASCII)
"""The ids that an engine accepts. Engines before 0.43 accept no hyphen."""


def check_id(block: BlockEntry) -> Iterator[Finding]:
    """The engine must be able to read the id."""
    if not _ID.fullmatch(block.id):
        yield _finding(
            block,
            Level.ERROR,
            "block-id",
            f"The engine can't read the id {block.id!r}.",
            "Use package/name:1.0.0, without blanks.",
        )
    elif "-" in block.id:
        yield _finding(
            block,
            Level.WARNING,
            "block-id-hyphen",
            f"The id {block.id!r} has a hyphen, and engines before 0.43 refuse it.",
            "Write '_' in its place, unless all your engines are newer.",
        )


def check_help(block: BlockEntry) -> Iterator[Finding]:
    """The help text must fit, and people must be able to tell blocks apart by it."""
    if len(block.help_text) > MAX_HELP_LENGTH:
        yield _finding(
            block,
            Level.ERROR,
            "help-length",
            f"markdown_helptext has {len(block.help_text)} characters, the engine keeps {MAX_HELP_LENGTH}.",
            "Shorten it; the description has no such limit.",
        )
    if not block.description.strip():
        yield _finding(
            block,
            Level.WARNING,
            "no-description",
            f"{block.id} has no description.",
            "Say in one line what it does: people choose blocks by it.",
        )


def check_schemas(block: BlockEntry) -> Iterator[Finding]:
    """Parameters and result must be objects, because the engine passes them on by their names."""
    for name, schema in (("param_cls", block.parameter_schema), ("result_cls", block.result_schema)):
        if schema.get("type") != "object":
            yield _finding(
                block,
                Level.ERROR,
                "schema",
                f"The schema of {name} is of type {schema.get('type')!r}, and the engine wants an object.",
                "Use a model with fields.",
            )


def check_descriptions(block: BlockEntry) -> Iterator[Finding]:
    """A deprecated block should say what to use in its place."""
    if block.deprecated and "use " not in f"{block.description} {block.help_text}".lower():
        yield _finding(
            block,
            Level.WARNING,
            "deprecated-without-way-out",
            f"{block.id} is deprecated and does not say what to use instead.",
            "Name the other block in its description or help text.",
        )


DECLARED_CHECKS: Final[tuple[Callable[[BlockEntry], Iterator[Finding]], ...]] = (
    check_id,
    check_help,
    check_schemas,
    check_descriptions,
)


def _finding(block: BlockEntry, level: Level, code: str, message: str, advice: str) -> Finding:
    place: dict[str, Any] = {"file": block.file or block.module, "line": block.line or 0}
    return Finding(level=level, code=code, message=message, advice=advice, **place)
