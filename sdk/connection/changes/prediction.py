"""What lines will change in a configuration, as far as one can know that without the device. Pure."""

from __future__ import annotations

import re

from sdk.connection.changes.dialect import NO, Dialect, bare
from sdk.connection.changes.lines import ConfigurationLine, Line, Tree


def predict(configuration: Tree, lines: Tree, dialect: Dialect, parents: tuple[str, ...] = ()) -> Tree:
    """Return the configuration after `lines` have been sent, in their order.

    New lines are at the end of their section: this does not predict where a device will print them.
    """
    for line in lines:
        configuration = _after(configuration, line, dialect, parents)
    return configuration


def predict_line(configuration: Tree, line: ConfigurationLine, dialect: Dialect) -> Tree:
    """Return the configuration after one line has been sent to its section."""
    tree = Line(line.text)
    for header in reversed(line.parents):
        tree = Line(header, (tree,))
    return predict(configuration, (tree,), dialect)


def _after(section: Tree, line: Line, dialect: Dialect, parents: tuple[str, ...]) -> Tree:
    if line.text.startswith(NO) and not line.children:
        return _without(section, line.text.removeprefix(NO), dialect)
    old = next((each for each in section if each.text == line.text), None)
    inside = predict(old.children if old else (), line.children, dialect, (*parents, line.text))
    if not inside and dialect.hidden.fullmatch(line.text):
        return tuple(each for each in section if each is not old)
    return _with(section, Line(line.text, inside), dialect)


def _with(section: Tree, line: Line, dialect: Dialect) -> Tree:
    """Put a line into a section: in place of the line that it replaces, otherwise at the end."""
    if dialect.defaults.fullmatch(line.text):
        return tuple(each for each in section if each.text != NO + line.text)
    key = dialect.key(line.text)
    replaced = [
        each
        for each in section
        if each.text == line.text
        or each.text in (NO + line.text, NO + key)
        or (dialect.is_single(line.text) and dialect.key(each.text) == key)
    ]
    if not replaced:
        return (*section, line)
    return tuple(line if each is replaced[0] else each for each in section if each not in replaced[1:])


def _without(section: Tree, command: str, dialect: Dialect) -> Tree:
    """Remove what `no COMMAND` removes: the line itself, and lines that begin with all its words."""
    key = dialect.key(command)
    removed = [
        each
        for each in section
        if not each.text.startswith(NO)
        and (
            each.text == command
            or each.text.startswith(f"{command} ")
            or (dialect.is_single(command) and dialect.key(each.text) == key)
        )
    ]
    left = tuple(each for each in section if each not in removed)
    matches = (dialect.cascades.match(each.text) for each in removed)
    for beginning in dict.fromkeys(match[1] for match in matches if match is not None):
        left = _without_beginning(left, beginning, dialect)
    negative = dialect.negative.match(command)
    shown = command if dialect.defaults.fullmatch(command) else negative.group() if negative else None
    if shown is None or any(bare(each.text) == shown for each in left):
        return left
    return (*left, Line(NO + shown))


def _without_beginning(section: Tree, beginning: str, dialect: Dialect) -> Tree:
    """Remove all lines about a removed command, also below headers that only group the lines of a section."""
    pattern = re.compile(rf"(no )?{re.escape(beginning)}( |$)")
    return tuple(
        Line(each.text, _without_beginning(each.children, beginning, dialect))
        if dialect.hidden.fullmatch(each.text)
        else each
        for each in section
        if not pattern.match(each.text)
    )
