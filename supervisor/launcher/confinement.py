"""The confinement of each new child: limits that are the same for all, and a user of its own if wanted."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace

from jobrunner.protocol.confinement import Confinement
from supervisor.launcher.child import Child
from supervisor.launcher.job_users import JobUsers


class ConfinementLease:
    """What one child gets. Its user is given back when the child is closed, or if it never started."""

    def __init__(self, confinement: Confinement, users: JobUsers | None) -> None:
        self.confinement = confinement
        self._users = users
        self._handed_over = False

    def hand_over(self, child: Child) -> None:
        """From now on the child keeps the user."""
        self._handed_over = True
        child.user = self.confinement.user
        child.on_closed = self._give_back

    def close(self) -> None:
        """Give the user back, unless a child has it."""
        if not self._handed_over:
            self._give_back()

    def _give_back(self) -> None:
        if self._users is not None and self.confinement.user is not None:
            self._users.give_back(self.confinement.user)


class ConfinementPool:
    """Hands out confinements."""

    def __init__(self, users: JobUsers | None = None) -> None:
        self._users = users

    @contextlib.asynccontextmanager
    async def one(self, limits: Confinement) -> AsyncIterator[ConfinementLease]:
        """Yield the confinement of one child. Waits for a user, if jobs have users. Raises `LaunchError`."""
        user = None if self._users is None else await self._users.take()
        confined = ConfinementLease(replace(limits, user=user), self._users)
        try:
            yield confined
        finally:
            confined.close()

    async def close(self) -> None:
        """Wait until the leftovers of the last users are removed."""
        if self._users is not None:
            await self._users.close()
