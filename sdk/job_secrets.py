"""The secrets that a job came with, and those that its block has brought in."""

from __future__ import annotations

from collections.abc import Callable

from sdk.masking import MAX_MESSAGE_LENGTH


class JobSecrets:
    """All secrets of one job. Of a large one, those that it came with are searched for when they are needed.

    `came_with` returns these. It is called once: at once, unless `is_large`. What a large job came with, whoever runs
    it masks in all that leaves the job (`sdk.execution.JobInput`).
    """

    def __init__(self, came_with: Callable[[], frozenset[str]], *, is_large: bool) -> None:
        self._came_with = came_with
        self._known = None if is_large else came_with()
        self._added: frozenset[str] = frozenset()

    def add(self, secrets: frozenset[str]) -> None:
        """Remember these too."""
        self._added |= secrets

    def all(self) -> frozenset[str]:
        """All of them. Of a large job, this takes its time."""
        if self._known is None:
            self._known = self._came_with()
        return self._known | self._added

    def to_hide_in(self, message: str) -> frozenset[str]:
        """Those that have to be looked for here in a message that is complete.

        In one that will be cut, all: the piece of a secret at the cut is found by nobody later.
        """
        is_hidden_later = self._known is None and len(message) <= MAX_MESSAGE_LENGTH
        return self._added if is_hidden_later else self.all()
