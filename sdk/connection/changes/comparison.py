"""Compares what a change should do with what it did. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sdk.connection.changes.dialect import NO, Dialect, bare
from sdk.connection.changes.lines import ConfigurationLine, Tree, TypedLine, paths_of
from sdk.connection.changes.prediction import predict_line


@dataclass(frozen=True, slots=True)
class Comparison:
    """How a device's configuration differs from the prediction.

    `not_shown`: lines that the device accepted, but that left nothing in its configuration: it never shows them, or
    shows them in another form. A line that most likely changed nothing is left out: a default, or a `no` in a section
    (`no shutdown`). `unforeseen`: lines that came (`+`) or went (`-`) without a prediction. `stayed`: lines that should
    go, and are still there.
    """

    not_shown: tuple[ConfigurationLine, ...] = ()
    unforeseen: tuple[str, ...] = ()
    stayed: tuple[ConfigurationLine, ...] = ()

    @property
    def is_as_foretold(self) -> bool:
        """Whether the prediction was right."""
        return not (self.not_shown or self.unforeseen or self.stayed)


def compare(
    before: Tree, predicted: Tree, after: Tree, sent: Sequence[ConfigurationLine], dialect: Dialect
) -> Comparison:
    """Compare the configuration after `sent` with the predicted one."""
    was, will_be, is_now = (tuple(paths_of(tree)) for tree in (before, predicted, after))
    old, foretold, new = frozenset(was), frozenset(will_be), frozenset(is_now)
    came = [line for line in is_now if line not in old and line not in foretold]
    went = [line for line in was if line not in new and line in foretold]
    return Comparison(
        not_shown=tuple(
            line
            for line in sent
            if _may_be_hidden(line, dialect) and not _is_shown(line, was, will_be, is_now, dialect)
        ),
        unforeseen=(*(f"- {line}" for line in went), *(f"+ {line}" for line in came)),
        stayed=tuple(line for line in was if line in new and line not in foretold),
    )


def hidden_lines(
    before: Tree, after: Tree, sent: Sequence[ConfigurationLine], dialect: Dialect
) -> tuple[ConfigurationLine, ...]:
    """Return the lines of `sent` that may be in force although the configuration `after` does not show them.

    It leaves out a line that may be shown in another form: an unforeseen line that came or went begins with the same
    word. It also leaves out a line that most likely changed nothing (see `Comparison`).
    """
    shown = frozenset(paths_of(after))
    if not any(line not in shown and _may_be_hidden(line, dialect) for line in sent):
        return ()  # a prediction for thousands of lines takes seconds
    foretold = before
    for line in sent:
        foretold = predict_line(foretold, line, dialect)
    found = compare(before, foretold, after, sent, dialect)
    changed = [_first_word(each[2:]) for each in found.unforeseen]
    return tuple(
        line
        for line in found.not_shown
        # The device shows `int` as `interface`.
        if not any(word.startswith(_first_word(str(line))) for word in changed)
    )


def _may_be_hidden(line: ConfigurationLine, dialect: Dialect) -> bool:
    if isinstance(line, TypedLine):
        return False  # in which section it stands, and whether that shows it, the device alone knows
    is_of_no_effect = dialect.defaults.fullmatch(line.text) or (line.parents and line.text.startswith(NO))
    return not is_of_no_effect


def _first_word(line: str) -> str:
    return bare(line).split(maxsplit=1)[0]


def _is_shown(
    line: ConfigurationLine,
    was: Sequence[ConfigurationLine],
    will_be: Sequence[ConfigurationLine],
    is_now: Sequence[ConfigurationLine],
    dialect: Dialect,
) -> bool:
    """Whether a line that was sent has left a trace, or was expected to leave none."""
    if line in is_now:
        return True
    if not line.text.startswith(NO):
        return line not in will_be  # a later line of the same change may have replaced it
    command = bare(line.text)
    return any(
        each.parents == line.parents
        and (
            each.text == command
            or each.text.startswith(f"{command} ")
            or dialect.key(each.text) == dialect.key(command)
        )
        for each in was
    )
