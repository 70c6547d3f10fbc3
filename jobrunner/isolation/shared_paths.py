"""The paths that all children of a template leave open, found and opened once."""

from jobrunner.isolation.errors import IsolationError
from jobrunner.isolation.landlock import file_rights, scopes
from jobrunner.isolation.opened_paths import OpenedPaths, list_entries
from jobrunner.isolation.rules import rules_for
from jobrunner.protocol.isolation import FileRules, Isolation


class SharedPaths:
    """Belongs to the template. Its forks make their sets of rules from it."""

    def __init__(self, isolation: Isolation) -> None:
        self.isolation = isolation
        self._opened: OpenedPaths | None = None
        self._problem: IsolationError | None = None

    def open(self) -> None:
        """Open them, unless they are open. What goes wrong is for a child to tell (`make_ruleset`).

        To be called again before each fork: what the machine lacks, it may have then.
        """
        if self._opened is not None or not self.isolation.landlock_abi:
            return
        self._problem = None
        try:
            self._opened = OpenedPaths.of(rules_for(self.isolation.files, list_entries))
        except IsolationError as error:
            self._problem = error

    def make_ruleset(self) -> int:
        """Return the descriptor of a new set of rules, which lacks the job's own directory. Raises `IsolationError`."""
        if self._problem is not None:
            raise self._problem
        assert self._opened is not None
        abi = self.isolation.landlock_abi
        return self._opened.make_ruleset(file_rights(abi), scopes(abi))


def ruleset_of(files: FileRules, abi: int) -> int:
    """Return the descriptor of a new set of rules, for a process that shares its paths with none.

    Raises `IsolationError`.
    """
    opened = OpenedPaths.of(rules_for(files, list_entries))
    try:
        return opened.make_ruleset(file_rights(abi), scopes(abi))
    finally:
        opened.close()
