"""Whether jobs can run as their own users here (`--job-users`), and the preparation for it."""

import asyncio
import contextlib
import errno
import grp
import logging
import os
import pwd
import random
import stat
import sys
import tempfile
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from supervisor.errors import StartRefusedError, WrongSettingError
from supervisor.launcher.job_users import JobUsers
from supervisor.launcher.shared_directories import shared_directories
from supervisor.log.event import tell
from supervisor.log.events.processes import SharedDirectoriesUnsearched
from supervisor.process.proc import lineage, members_of, processes_of, read_stat, status_of
from supervisor.process.user_numbers import parse_users
from supervisor.settings.run_settings import DaemonSettings

_log = logging.getLogger(__name__)

_ENDING_SECONDS: Final = 5.0
_PAUSE_SECONDS: Final = 0.05
_LONGEST_TURN_SECONDS: Final = 0.5
_RNG: Final = random.Random()  # noqa: S311  # spread, not secrecy

# <linux/capability.h>. The last two are for removing a job's leftovers, whatever their mode is.
_NEEDED: Final = {
    "CAP_CHOWN": 0,
    "CAP_KILL": 5,
    "CAP_SETGID": 6,
    "CAP_SETUID": 7,
    "CAP_DAC_OVERRIDE": 1,
    "CAP_FOWNER": 3,
}


async def prepare_job_users(settings: DaemonSettings, *, spares: int) -> JobUsers | None:
    """Return the pool of users, if jobs have their own users. Then other users may pass through the state directory.

    Raises `WrongSettingError` with all obstacles. One is a mount of the state directory in which nothing can be given
    to another user. Raises `StartRefusedError` if the disk refuses that for another reason, or if another worker has
    some of the users.
    """
    if settings.job_users is None:
        return None
    problems = problems_of_job_users(settings, spares=spares)
    if problems:
        raise WrongSettingError(f"--job-users {settings.job_users} can't work: {' '.join(problems)}")
    if refusal := refusal_to_give(settings.state_dir, parse_users(settings.job_users)[0]):
        # A full disk may have room later. A mount is the same at each try.
        error = WrongSettingError if refusal.is_lasting else StartRefusedError
        raise error(f"--job-users {settings.job_users} can't work: {refusal.reason}")
    await take_numbers(settings.job_users)
    # The journal and the lock in it are this user's alone (0600); a job only passes through to its own directory.
    os.chmod(settings.state_dir, 0o711)  # noqa: S103
    found = await asyncio.to_thread(shared_directories)
    if not found.complete:
        tell(_log, SharedDirectoriesUnsearched())
    users = JobUsers(parse_users(settings.job_users), found.paths)
    await users.clear_before_use()
    return users


async def take_numbers(setting: str) -> None:
    """Reserve these users for this worker until it ends. Raises `StartRefusedError` if another worker has some.

    Jobs of both workers would have the same rights, and each worker would remove the other's files in /dev/shm. From
    here on, the numbers are among this process's groups, where other workers see that they are taken. The kernel frees
    them when the process ends, for any reason. Only a process that may be in any group can be in these. A lock file
    would be worse: if workers of different users can lock it, any user of the machine can, and keep a worker from
    starting. Processes that this one starts begin with these groups; a job leaves them when it becomes its user.
    """
    users, groups = parse_users(setting), os.getgroups()
    while True:
        await refuse_numbers_in_use(setting)
        os.setgroups([*groups, *users])
        # Once more, now that others see it: if two start at the same moment, at least one sees the other.
        if not await asyncio.to_thread(_found_elsewhere, users):
            return
        # The other may have seen this one too. Then both step back, and the first one to try again gets them.
        os.setgroups(groups)
        await asyncio.sleep(_RNG.uniform(0, _LONGEST_TURN_SECONDS))


async def refuse_numbers_in_use(setting: str) -> None:
    """Raise `StartRefusedError` if another worker of this machine has some of the users."""
    users, end = parse_users(setting), time.monotonic() + _ENDING_SECONDS
    # An earlier run of this worker that was killed a moment ago may not have ended yet.
    while found := await asyncio.to_thread(_found_elsewhere, users):
        if time.monotonic() > end:
            raise StartRefusedError(
                f"--job-users {setting} can't work: process {found.pid}, a child of process {found.parent}, "
                f"{found.what}: give each worker numbers of its own."
            )
        await asyncio.sleep(_PAUSE_SECONDS)


class _Found(NamedTuple):
    pid: int
    parent: int
    user: int
    is_job: bool

    @property
    def what(self) -> str:
        if self.is_job:
            return f"runs as user {self.user}. That is most likely a job of another worker of this machine"
        return f"has kept user {self.user} for its jobs. That is most likely another worker of this machine"


def _found_elsewhere(users: Collection[int]) -> _Found | None:
    """Return a process that runs as one of these users, or has reserved one, and is not left by an earlier run.

    A process left by an earlier run has lost its parent: it now belongs to an ancestor of this process. If it can't be
    killed, because its file server hangs, the start must not wait for that.
    """
    above = {0, 1, *lineage()}
    for find, is_job in ((processes_of, True), (members_of, False)):
        found = find(users)
        for pid, user in found.items():
            seen = read_stat(pid)
            if seen is not None and seen.parent not in found and seen.parent not in above:
                return _Found(pid, seen.parent, user, is_job)
    return None


def problems_of_job_users(settings: DaemonSettings, *, spares: int) -> list[str]:
    """Return all obstacles, one sentence for each."""
    users = parse_users(settings.job_users or "")
    needed = settings.max_concurrent_jobs + spares
    problems: list[str] = []
    if missing := missing_capabilities():
        problems.append(f"The worker must be root, or have {', '.join(missing)} as well.")
    if len(users) < needed:
        problems.append(
            f"{needed} users are needed, one for each slot ({settings.max_concurrent_jobs}) and each child that waits "
            f"for a job ({spares}), but these are {len(users)}."
        )
    if taken := _accounts(users):
        problems.append(
            f"Some are users or groups of this machine ({', '.join(taken)}); take numbers that nobody has."
        )
    if closed := not_open_to_all(_must_be_open(settings)):
        problems.append(
            f"Jobs can't read {', '.join(closed)}. Put Python and the blocks where every user can read them, such as "
            "/opt."
        )
    return problems


@dataclass(frozen=True, slots=True)
class GivingRefusal:
    """Why nothing in a directory can be given to a job's user. `is_lasting`: no later try will succeed either."""

    reason: str
    is_lasting: bool


def refusal_to_give(directory: Path, user: int) -> GivingRefusal | None:
    """Try to give a file in this directory to a job's user. Return why that fails; `None` if it works."""
    try:
        with tempfile.TemporaryDirectory(prefix="probe-", dir=directory) as probe:
            os.chown(probe, user, user)
    except OSError as error:
        reason = f"Nothing in {directory} can be given to user {user}: {error.strerror}."
        if error.errno != errno.EOVERFLOW:
            return GivingRefusal(reason, is_lasting=False)
        # An idmapped mount knows only one user (mount_setattr(2)).
        text = (
            f"{reason} systemd mounts it like this for a user that exists only while the service runs. Give the "
            "service an account of its own (DynamicUser=no and User=), and this directory to it while the service is "
            "stopped (chown -R): see deploy/neops-supervisor-job-users.conf."
        )
        return GivingRefusal(text, is_lasting=True)
    return None


def missing_capabilities() -> list[str]:
    """Return the names of the capabilities that this process needs but does not have."""
    mask = int(status_of(os.getpid())["CapEff"], 16)
    return [name for name, number in _NEEDED.items() if not mask >> number & 1]


def _accounts(numbers: Iterable[int]) -> list[str]:
    found: list[str] = []
    for number in numbers:
        with contextlib.suppress(KeyError):
            found.append(f"{number} is {pwd.getpwuid(number).pw_name!r}")
        # A job also gets the group with its user's number.
        with contextlib.suppress(KeyError):
            found.append(f"{number} is the group {grp.getgrgid(number).gr_name!r}")
    return found[:3]


def _must_be_open(settings: DaemonSettings) -> list[Path]:
    """Return what a child reads after it has become its user: Python, this worker, blocks; and its job's directory."""
    named = map(os.path.expanduser, settings.function_blocks)
    blocks = [Path(name) for name in named if "/" in name or Path(name).exists()]
    packages = [Path(__file__).parents[2], Path(os.__file__).parent, Path(sys.executable)]
    return [*packages, *blocks, settings.state_dir.parent]


def not_open_to_all(paths: Iterable[Path]) -> list[str]:
    """Return the directories above `paths` that others may not pass, and the paths that they may not read."""
    closed: list[str] = []
    for path in paths:
        real = path.resolve()
        for part in (*reversed(real.parents), real):
            try:
                mode = part.stat().st_mode
            except OSError:
                continue
            wanted = stat.S_IXOTH if stat.S_ISDIR(mode) else stat.S_IROTH
            if not mode & wanted and str(part) not in closed:
                closed.append(str(part))
                break
    return closed
