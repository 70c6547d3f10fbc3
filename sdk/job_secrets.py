"""The secrets that a job came with, and those that its block has added."""

from __future__ import annotations

from collections.abc import Callable

from sdk.masking import MAX_MESSAGE_LENGTH


class JobSecrets:
    """All secrets of one job. For a large job, the secrets that it came with are collected only when they are needed.

    `came_with` returns these. It is called once: at once, unless `is_large`. The caller that runs a large job masks
    these in everything that leaves the job (`sdk.execution.JobInput`).
    """

    def __init__(self, came_with: Callable[[], frozenset[str]], *, is_large: bool) -> None:
        self._came_with = came_with
        self._known = None if is_large else came_with()
        self._added: frozenset[str] = frozenset()

    def add(self, secrets: frozenset[str]) -> None:
        """Remember these, too."""
        self._added |= secrets

    def all(self) -> frozenset[str]:
        """All of them. For a large job this takes a while."""
        if self._known is None:
            self._known = self._came_with()
        return self._known | self._added

    def to_hide_in(self, message: str) -> frozenset[str]:
        """The secrets that must be hidden here in a complete message.

        For a message that will be cut, these are all: nobody would find the piece of a secret at the cut later.
        """
        is_hidden_later = self._known is None and len(message) <= MAX_MESSAGE_LENGTH
        return self._added if is_hidden_later else self.all()
