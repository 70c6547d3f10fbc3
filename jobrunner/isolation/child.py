"""One child keeps itself apart, step by step, as the supervisor has ordered.

A step that fails, although the kernel can take it, ends the child with an `IsolationError`: no block runs with less
than was ordered. Only the session keyring may be refused, since nobody can tell before.
"""

import errno
import os
from abc import ABC, abstractmethod
from typing import Final

from jobrunner.isolation.call_filter import refuse_calls_that_reach_beyond
from jobrunner.isolation.errors import IsolationError
from jobrunner.isolation.hint import hint_at
from jobrunner.isolation.landlock import allow_beneath, file_rights, restrict_thread
from jobrunner.isolation.rules import only_jobs_directory, with_open_jobs_directory
from jobrunner.isolation.shared_paths import SharedPaths, ruleset_of
from jobrunner.isolation.signals import contain_signals
from jobrunner.keyrings import leave_session_keyring
from jobrunner.protocol import linux
from jobrunner.protocol.isolation import Isolation

_WORKING_DIRECTORY: Final = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC


class ChildIsolation(ABC):
    """What a child does to itself: `prepare`, then `forbid_escape`, and with its order `close_files`.

    All of it comes before code of a block, and none of it before what needs what it takes.
    """

    def __init__(self, isolation: Isolation) -> None:
        self._isolation = isolation
        self._ruleset: int | None = None
        """The set of rules that only lacks the job's own directory."""

    def prepare(self, first_free: int) -> int:
        """Give up the worker's session keyring, and make the sets of rules, with the numbers from `first_free` on.

        Returns the first number that they don't use. Whatever has it, or a higher one, may be closed then. While this
        process still has the supervisor's user. Raises `IsolationError`.
        """
        if self._isolation.new_session_keyring:
            leave_session_keyring()
        return self._make_rulesets(first_free) if self._isolation.landlock_abi else first_free

    def forbid_escape(self) -> None:
        """Give up new privileges, signals to others and calls that reach beyond the job. Raises `IsolationError`."""
        linux.forbid_new_privileges()
        if not self._isolation.landlock_abi and self._isolation.contain_signals:
            contain_signals()
        self._restrict_imports()
        if self._isolation.seccomp:
            refuse_calls_that_reach_beyond()

    def close_files(self, job_directory: str) -> None:
        """Give up all files that the rules do not allow, apart from those in `job_directory`, the working directory.

        Raises `IsolationError`, also where the working directory is not the one that was ordered.
        """
        if self._ruleset is None:
            return
        ruleset, self._ruleset = self._renewed(self._ruleset), None
        try:
            if _is_entered(job_directory, self._isolation.files.jobs_directory):
                directory = os.open(".", _WORKING_DIRECTORY)
                try:
                    allow_beneath(ruleset, directory, file_rights(self._isolation.landlock_abi))
                finally:
                    os.close(directory)
        except OSError as error:
            os.close(ruleset)
            raise IsolationError("a rule for the job's own directory", error) from error
        _restrict(ruleset)

    def hint(self) -> None:
        """Have the SDK say so where a block is refused something, for this reason perhaps. With `close_files`."""
        hint_at(self._isolation)

    @abstractmethod
    def _make_rulesets(self, first_free: int) -> int:
        """See `prepare`."""

    @abstractmethod
    def _restrict_imports(self) -> None:
        """See `SpawnedIsolation`."""

    def _renewed(self, ruleset: int) -> int:
        """Return another set of rules where files have come since `ruleset` was made, which is closed then."""
        return ruleset


class ForkedIsolation(ChildIsolation):
    """Of a child whose template has imported the blocks: nothing of an author's runs before the order."""

    def __init__(self, shared: SharedPaths) -> None:
        super().__init__(shared.isolation)
        self._shared = shared
        self._user = os.geteuid()

    def _make_rulesets(self, first_free: int) -> int:
        self._ruleset = _moved(self._shared.make_ruleset(), first_free)
        return first_free + 1

    def _restrict_imports(self) -> None:
        pass

    def _renewed(self, ruleset: int) -> int:
        # A user of the job's own may not list what the template could, which has looked before this child was made.
        if os.geteuid() != self._user or self._shared.is_current():
            return ruleset
        try:
            renewed = ruleset_of(self._isolation.files, self._isolation.landlock_abi)
        except IsolationError:
            return ruleset  # it only closes more
        os.close(ruleset)
        return renewed


class SpawnedIsolation(ChildIsolation):
    """Of a child that imports the blocks itself, before it knows which directory its job will have.

    The first set of rules leaves all jobs' directories open, the second one, with the order, only the job's own.
    """

    def __init__(self, isolation: Isolation) -> None:
        super().__init__(isolation)
        self._ruleset_of_imports: int | None = None

    def _make_rulesets(self, first_free: int) -> int:
        files, abi = self._isolation.files, self._isolation.landlock_abi
        self._ruleset_of_imports = _moved(ruleset_of(with_open_jobs_directory(files), abi), first_free)
        self._ruleset = _moved(ruleset_of(only_jobs_directory(files), abi), first_free + 1)
        return first_free + 2

    def _restrict_imports(self) -> None:
        if self._ruleset_of_imports is not None:
            ruleset, self._ruleset_of_imports = self._ruleset_of_imports, None
            _restrict(ruleset)


def _is_entered(job_directory: str, jobs_directory: str | None) -> bool:
    """Whether the working directory is the one that was ordered, by its whole path, so that it may be opened.

    In the fall-back below /dev/shm every job of this user can put a link in its place, such as one to `/`. What is
    open to all jobs needs no rule of its own. Raises `OSError` where such a link was followed.
    """
    name = os.path.basename(job_directory)
    try:
        entered = os.getcwd()
    except FileNotFoundError:  # it was removed meanwhile: there is nothing to open
        return False
    if os.path.basename(entered) != name:
        raise OSError(errno.ELOOP, f"it leads to {entered}")
    return entered in (job_directory, f"{jobs_directory}/{name}")


def _restrict(ruleset: int) -> None:
    try:
        restrict_thread(ruleset)
    except OSError as error:
        raise IsolationError("a set of rules", error) from error
    finally:
        os.close(ruleset)


def _moved(descriptor: int, number: int) -> int:
    """Return `number`, which is what `descriptor` was, in place of what it may have been."""
    if descriptor != number:
        os.dup2(descriptor, number, inheritable=False)
        os.close(descriptor)
    return number
