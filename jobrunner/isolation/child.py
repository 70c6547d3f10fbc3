"""A child isolates itself, step by step, as the supervisor has ordered.

If a step fails although the kernel supports it, the child ends with an `IsolationError`: no block runs with less
isolation than ordered. Only the session keyring may be refused, because nobody can know that before.
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
from jobrunner.job_user import keep_only_the_network_s_capabilities
from jobrunner.keyrings import leave_session_keyring
from jobrunner.protocol import linux
from jobrunner.protocol.isolation import Isolation

_WORKING_DIRECTORY: Final = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC


class ChildIsolation(ABC):
    """What a child does to itself: `prepare`, then `forbid_escape`, and with its order `close_files`.

    Everything comes before a block's code, and no step comes before code that needs what the step takes away.
    """

    def __init__(self, isolation: Isolation) -> None:
        self._isolation = isolation
        self._ruleset: int | None = None
        """The set of rules that lacks only the job's own directory."""

    def prepare(self, first_free: int) -> int:
        """Give up the worker's session keyring, and make the sets of rules, with the numbers from `first_free` on.

        Returns the first number that they don't use. Descriptors with this or a higher number may be closed then. Call
        it while this process still has the supervisor's user. Raises `IsolationError`.
        """
        if self._isolation.new_session_keyring:
            leave_session_keyring()
        return self._make_rulesets(first_free) if self._isolation.landlock_abi else first_free

    def forbid_escape(self) -> None:
        """Give up privileges, signals to others and calls that reach beyond the job. Raises `IsolationError`."""
        if self._isolation.landlock_abi or self._isolation.seccomp:
            _drop_capabilities()
        linux.forbid_new_privileges()
        if not self._isolation.landlock_abi and self._isolation.contain_signals:
            contain_signals()
        self._restrict_imports()
        if self._isolation.seccomp:
            refuse_calls_that_reach_beyond()

    def close_files(self, job_directory: str) -> None:
        """Give up all files that the rules do not allow, except those in `job_directory`, the working directory.

        Raises `IsolationError`, also if the working directory is not the ordered one.
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
        """Make the SDK give a hint if a block is refused something, perhaps for this reason. With `close_files`."""
        hint_at(self._isolation)

    @abstractmethod
    def _make_rulesets(self, first_free: int) -> int:
        """See `prepare`."""

    @abstractmethod
    def _restrict_imports(self) -> None:
        """See `SpawnedIsolation`."""

    def _renewed(self, ruleset: int) -> int:
        """Return a new set of rules if files have appeared since `ruleset` was made. `ruleset` is closed then."""
        return ruleset


class ForkedIsolation(ChildIsolation):
    """For a child whose template has imported the blocks: no code of an author runs before the order."""

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
        # A job's own user may not list what the template could. The template has looked before this child was made.
        if os.geteuid() != self._user or self._shared.is_current():
            return ruleset
        try:
            renewed = ruleset_of(self._isolation.files, self._isolation.landlock_abi)
        except IsolationError:
            return ruleset  # it only closes more
        os.close(ruleset)
        return renewed


class SpawnedIsolation(ChildIsolation):
    """For a child that imports the blocks itself, before it knows which directory its job will have.

    The first set of rules leaves all jobs' directories open. The second one, with the order, leaves only the job's own.
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
    """Whether the working directory is the ordered one, by its whole path, so that it may be opened.

    In the fallback below /dev/shm every job of this user can put a link in its place, for example to `/`. What is
    open to all jobs needs no rule of its own. Raises `OSError` if such a link was followed.
    """
    name = os.path.basename(job_directory)
    try:
        entered = os.getcwd()
    except FileNotFoundError:  # it was removed since: there is nothing to open
        return False
    if os.path.basename(entered) != name:
        raise OSError(errno.ELOOP, f"it leads to {entered}")
    return entered in (job_directory, f"{jobs_directory}/{name}")


def _drop_capabilities() -> None:
    try:
        keep_only_the_network_s_capabilities()
    except OSError as error:
        raise IsolationError("giving up capabilities", error) from error


def _restrict(ruleset: int) -> None:
    try:
        restrict_thread(ruleset)
    except OSError as error:
        raise IsolationError("a set of rules", error) from error
    finally:
        os.close(ruleset)


def _moved(descriptor: int, number: int) -> int:
    """Return `number`, which now stands for the file of `descriptor`, whatever it stood for before."""
    if descriptor != number:
        os.dup2(descriptor, number, inheritable=False)
        os.close(descriptor)
    return number
