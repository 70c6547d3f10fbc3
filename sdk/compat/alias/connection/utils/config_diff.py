"""Differences between two configurations, as text. Uses this worker's own trees of lines, not `hier_config`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sdk.compat.migration_hints import refusing
from sdk.connection.changes.dialect import Dialect
from sdk.connection.changes.lines import Line, Tree
from sdk.connection.changes.prediction import predict
from sdk.connection.platforms.frr_configuration import FRR
from sdk.connection.platforms.ios_configuration import IOS

from ..exceptions import NeopsConnectionError

_DIALECTS: Final[Mapping[str, Dialect]] = {"ios": IOS, "wlc_ios": IOS, "frr": FRR}
_INDENT: Final = "  "
_OWN_EXITS: Final = ("exit-address-family",)
_SECRET: Final = re.compile(r"(?m)^(username \S+(?: .+)?|enable) (secret|password) (\d+) \S+$")


@dataclass
class ConfigDelta:
    """The lines that turn one configuration into the other, and the lines that turn it back."""

    rollout: str
    rollback: str


def normalize_secrets(config: str) -> str:
    """The configuration with `<HASH>` for each hash of a user's or the enable password: hashes of equal ones differ."""
    return _SECRET.sub(r"\1 \2 \3 <HASH>", config)


def get_config_unified_diff(
    platform: str,
    from_config: str,
    to_config: str,
    is_snippet: bool = False,
    tag_rules: Sequence[Any] = (),
    include_tags: Sequence[str] = (),
    exclude_tags: Sequence[str] = (),
) -> str:
    """The lines that go (`-`) and come (`+`), by sections. A snippet is added to `from_config`.

    Raises `NeopsConnectionError` for tags, which need the package.
    """
    _refuse_tags(tag_rules, include_tags, exclude_tags)
    before, after, _ = _trees(platform, from_config, to_config, is_snippet)
    return "\n".join(_compared(before, after, ""))


def get_config_delta(
    platform: str,
    from_config: str,
    to_config: str,
    is_snippet: bool = False,
    tag_rules: Sequence[Any] = (),
    include_tags: Sequence[str] = (),
    exclude_tags: Sequence[str] = (),
) -> ConfigDelta:
    """The lines to send for `to_config`, and the lines to send to go back. A snippet is added to `from_config`.

    If a line replaces another line of the same command, it is sent alone, on the platforms that are known (IOS, FRR).
    Raises `NeopsConnectionError` for tags, which need the package.
    """
    _refuse_tags(tag_rules, include_tags, exclude_tags)
    before, after, dialect = _trees(platform, from_config, to_config, is_snippet)
    forth, back = ("\n".join(_sent(old, new, dialect, ())) for old, new in ((before, after), (after, before)))
    return ConfigDelta(forth, back)


def _trees(platform: str, old: str, new: str, is_snippet: bool) -> tuple[Tree, Tree, Dialect]:
    dialect = _DIALECTS.get(platform, Dialect())
    before = dialect.read(old)
    after = (
        predict(before, dialect.read_lines(new.splitlines()), dialect) if is_snippet else dialect.read(new)
    )
    return before, after, dialect


def _refuse_tags(*given: Sequence[Any]) -> None:
    if any(given):
        raise NeopsConnectionError(
            "Tags of lines are hier_config's, and this worker compares configurations by its own code. Leave the tags "
            "out, or install neops_worker_sdk beside this worker."
        )


def _compared(before: Tree, after: Tree, indent: str) -> Iterator[str]:
    new = {line.text: line for line in after}
    old = {line.text for line in before}
    for line in before:
        if line.text not in new:
            yield from _marked(line, "- ", indent)
        elif inside := list(_compared(line.children, new[line.text].children, indent + _INDENT)):
            yield indent + line.text
            yield from inside
    for line in after:
        if line.text not in old:
            yield from _marked(line, "+ ", indent)


def _marked(line: Line, sign: str, indent: str) -> Iterator[str]:
    yield indent + sign + line.text
    for child in line.children:
        yield from _marked(child, sign, indent + _INDENT)


def _sent(before: Tree, after: Tree, dialect: Dialect, parents: tuple[str, ...]) -> Iterator[str]:
    """The lines of one section: first the lines that go, then those that come, in the order of `after`."""
    indent = _INDENT * len(parents)
    same = _same_at_the_start(before, after) if dialect.is_ordered(parents) else None
    old = {line.text: line for line in before[:same]}
    new = {line.text: line for line in after[:same]}
    coming = [line for line in after if line.text not in old]
    keys = {dialect.key(line.text) for line in coming if dialect.is_single(line.text)}
    texts = {line.text for line in coming}
    for line in before:
        if line.text in new or dialect.key(line.text) in keys:
            continue
        negation = dialect.negation(line.text)
        if dialect.is_kept(line.text):
            inside = list(_sent(line.children, (), dialect, (*parents, line.text)))
            yield from _section(line.text, inside, dialect, indent)
        elif negation is not None and negation not in texts:
            yield indent + negation
    # An interface is enabled only when its other lines are set.
    for line in sorted(after, key=lambda each: each.text == "no shutdown"):
        children = old[line.text].children if line.text in old else ()
        inside = list(_sent(children, line.children, dialect, (*parents, line.text)))
        if inside:
            yield from _section(line.text, inside, dialect, indent)
        elif line.text not in old:
            yield indent + line.text


def _section(header: str, inside: Sequence[str], dialect: Dialect, indent: str) -> Iterator[str]:
    own = f"exit-{header.split()[0]}"
    yield indent + header
    yield from inside
    yield indent + _INDENT + (own if own in _OWN_EXITS and dialect.closers.fullmatch(own) else "exit")


def _same_at_the_start(before: Tree, after: Tree) -> int:
    same = 0
    while same < min(len(before), len(after)) and before[same] == after[same]:
        same += 1
    return same


__getattr__ = refusing(__name__)
