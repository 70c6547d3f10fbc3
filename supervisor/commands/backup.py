"""`supervisor backup`: copies the state of `supervisor local` to a directory with which it can be started again."""

import contextlib
import os
import shutil
import signal
import sqlite3
import stat
import sys
from pathlib import Path
from typing import Final

from pydantic import Field
from pydantic_settings import CliPositionalArg, SettingsConfigDict

from supervisor.commands.local.announcement import Announcement
from supervisor.commands.local.live_backup import copy_from_running, running_engine_of
from supervisor.commands.local.others_state import (
    copy_database,
    copy_of_the_worker,
    is_of_another,
    opened_folder,
)
from supervisor.commands.local.places import ENGINE_DATABASE, WORKER_DIRECTORY, local_state_directory
from supervisor.commands.shared.command_settings import StateDirectorySettings
from supervisor.commands.shared.common import EXIT_FAILED, EXIT_USAGE, ended_as_by_ctrl_c, read_settings
from supervisor.errors import EngineError, StartRefusedError, StateDirectoryError
from supervisor.job.host_keys.store import FILE as HOST_KEYS
from supervisor.journal.directory import DirectoryLock, is_in_use, take_directory
from supervisor.process.user_names import user_name, who_may_use
from supervisor.settings.run_settings import RunSettings

PROGRAM: Final = "supervisor backup"
_BUSY_SECONDS: Final = 10.0
_EPILOG: Final = (
    "The directory holds parameters of jobs, with passwords, in clear text; only you\n"
    "can read it. To restore: stop `supervisor local`, move its state directory away,\n"
    "put a copy of the backup in its place, and start it."
)


class BackupSettings(StateDirectorySettings):
    """Copy the jobs and results of `supervisor local`, and the host keys it has accepted, into a new directory.

    `supervisor local` may run meanwhile: its engine writes the copy, and answers no request until that is done.

    Exit code 0 when the copy is complete and sound, 1 when not, 2 for wrong usage.
    """

    model_config = SettingsConfigDict(**RunSettings.model_config)

    directory: CliPositionalArg[Path] = Field(description="The directory to make. It must not exist yet.")
    state_dir: Path = Field(
        default_factory=local_state_directory,
        description="The state directory of `supervisor local`. Default: its usual directory.",
    )


def run(arguments: list[str]) -> int:
    """Make the backup. Returns 0, 1 if it could not be made, or 2 for wrong usage."""
    settings = read_settings(BackupSettings, arguments, PROGRAM, _EPILOG)
    target, source = settings.directory, settings.state_dir / ENGINE_DATABASE
    if problem := _usage_problem(target, source):
        return _say(problem, EXIT_USAGE)
    if not os.access(source, os.R_OK):
        return _say(who_may_use("the database", source), EXIT_FAILED)
    try:
        held = _held(settings.state_dir)
    except (OSError, StateDirectoryError) as error:
        return _say(str(error), EXIT_FAILED)
    # Whoever ends this, also by closing the terminal, would not know of the files left behind and their passwords.
    with ended_as_by_ctrl_c(signal.SIGTERM, signal.SIGHUP):
        return _back_up(settings.state_dir, held, target)


def _back_up(state_dir: Path, held: DirectoryLock | Announcement, target: Path) -> int:
    """Make the backup, and release the state. Returns the exit code. If it is interrupted, it removes its files."""
    # Under another name until it is complete: half of it must not look like a backup.
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        unfinished.mkdir(mode=0o700)
        _copy_all(state_dir, held, unfinished)
        size = sum(path.stat().st_size for path in unfinished.rglob("*"))
        unfinished.rename(target)
    except (OSError, sqlite3.Error, EngineError, StartRefusedError, StateDirectoryError) as error:
        shutil.rmtree(unfinished, ignore_errors=True)
        reason = str(error).replace(str(unfinished), str(target)).rstrip(".")
        return _say(f"No backup was made: {reason}.", EXIT_FAILED)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    finally:
        if isinstance(held, DirectoryLock):
            held.close()
    print(f"{target}: {size / 1e6:.1f} MB")
    return 0


def _usage_problem(target: Path, source: Path) -> str | None:
    if os.path.lexists(target):
        return f"{target} is there already. Name a directory that is not."
    if not os.path.isdir(target.absolute().parent):
        return f"There is no directory {target.absolute().parent}. Make it, or name another."
    try:
        is_there = stat.S_ISREG(source.stat().st_mode)
    except PermissionError:
        return None  # the code that reads it reports this
    except OSError:
        is_there = False
    if not is_there:
        return f"There is no {source}. Name the state directory of `supervisor local` with --state-dir."
    return _whose_it_would_be(target, source.parent)


def _whose_it_would_be(target: Path, state_dir: Path) -> str | None:
    """Return a refusal if the state belongs to another user who also owns a directory above the target.

    That user could put a link in the place of a file that root writes there.
    """
    if not is_of_another(state_dir):
        return None
    owner, parent = state_dir.stat().st_uid, target.absolute().parent
    above = {each for path in (parent, parent.resolve()) for each in (path, *path.parents)}
    if all(each.stat().st_uid != owner for each in above):
        return None
    return (
        f"{target} would be below a directory of {user_name(owner)}, who could change what root writes there. "
        "Name a directory elsewhere."
    )


def _held(state_dir: Path) -> DirectoryLock | Announcement:
    """Return the lock of a state that nobody uses, otherwise the engine that uses it.

    Raises `StateDirectoryError` and `OSError`.
    """
    if not is_in_use(state_dir):
        return take_directory(state_dir, only_to_read=is_of_another(state_dir))
    if (engine := running_engine_of(state_dir)) is not None:
        return engine
    raise StateDirectoryError(
        f"`supervisor local` uses {state_dir}, and its engine can't be asked for a copy: it is starting or ending, "
        "or of an earlier version. Try again, or stop it for the backup."
    )


def _copy_all(state_dir: Path, held: DirectoryLock | Announcement, target: Path) -> None:
    """Copy all that a backup needs into `target`, and check it.

    Raises `OSError`, `sqlite3.Error`, `EngineError`, `StartRefusedError` and `StateDirectoryError`.
    """
    copied, host_keys = target / ENGINE_DATABASE, target / WORKER_DIRECTORY / HOST_KEYS
    with contextlib.ExitStack() as opened:
        folder = (
            held.descriptor
            if isinstance(held, DirectoryLock)
            else opened.enter_context(opened_folder(state_dir))
        )
        is_others = is_of_another(folder)
        if isinstance(held, Announcement):
            copy_from_running(held, folder, copied)
        elif is_others:
            copy_database(folder, copied)
        else:
            _copy_database(state_dir / ENGINE_DATABASE, copied)
        _check(copied)
        if is_others:
            copy_of_the_worker(HOST_KEYS, folder, host_keys)
        else:
            _copy_host_keys(state_dir / WORKER_DIRECTORY / HOST_KEYS, host_keys.parent)


def _copy_database(source: Path, target: Path) -> None:
    """Copy what is committed, also from the log beside the file. Raises `OSError` and `sqlite3.Error`."""
    os.close(os.open(target, os.O_CREAT | os.O_WRONLY | os.O_EXCL | os.O_CLOEXEC, 0o600))
    with (
        contextlib.closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=rw", uri=True)) as live,
        contextlib.closing(sqlite3.connect(target)) as copy,
    ):
        live.execute(f"PRAGMA busy_timeout = {_BUSY_SECONDS * 1000:.0f}")
        # If it is locked, `backup` would wait without an end.
        live.execute("SELECT count(*) FROM sqlite_master")
        live.backup(copy)


def _check(copied: Path) -> None:
    """Read all of a copy. Raises `sqlite3.Error` if it is damaged."""
    with contextlib.closing(sqlite3.connect(copied)) as copy:
        (said,) = copy.execute("PRAGMA quick_check(1)").fetchone()
    if said != "ok":
        raise sqlite3.DatabaseError(f"the database is damaged ({said})")


def _copy_host_keys(source: Path, directory: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        text = source.read_bytes()
        directory.mkdir(mode=0o700)
        target = directory / source.name
        target.touch(0o600)
        target.write_bytes(text)


def _say(message: str, code: int) -> int:
    print(f"{PROGRAM}: {message}", file=sys.stderr)
    return code
