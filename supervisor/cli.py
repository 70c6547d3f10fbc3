"""The command line. Imports nothing large at its top: children of `multiprocess` import it again (pypa/pip#12712)."""

import contextlib
import errno
import importlib
import importlib.util
import io
import os
import select
import sys
from collections.abc import Callable
from typing import Final

from jobrunner.protocol.importing import import_uncollected
from supervisor.errors import NoHomeError
from supervisor.keeper import keep

COMMAND_GROUPS: Final = {
    "To run a worker": {
        "demo": "run everything here, with an engine and an emulated device, and show what happens",
        "local": "run an engine and the worker on this machine, and keep their state",
        "doctor": "check this machine, and say what to do",
        "deploy": "print systemd's unit for this installation",
        "completion": "print a script that lets bash, zsh or fish complete commands and flags",
    },
    "To see what a running worker does": {
        "status": "ask the worker whether it takes jobs, and why not",
        "top": "show jobs, memory, processor time and stalls, updated each second",
        "jobs": "list the jobs that the worker has",
        "job": "show one job: what it does and uses, or how it ended",
        "logs": "show the log of a job that runs or has ended; -f follows it",
        "stack": "show where a running job is: every thread, and what its tasks await; the job goes on",
        "config": "show the worker's settings, each with its value and where the value comes from",
        "support-bundle": "write one archive without secrets, for support",
    },
    "To tell a running worker what to do": {
        "pause": "tell the worker to ask for no jobs, for a while or until it is resumed",
        "resume": "tell the worker to ask for jobs again",
        "drain": "tell the worker to finish its jobs, deliver their results and ask for no more",
        "cancel": "end one of the worker's jobs, with a failed result that says so",
        "reload": "tell the worker to read its blocks and settings again, and wait until that is done",
    },
    "To look after what a worker keeps": {
        "journal": "list results that the engine does not have yet; retry or drop those that it refused",
        "host-keys": "list the host keys of devices that the worker has accepted, or forget one",
        "backup": "copy the jobs and results of `local`, to restore them from",
    },
    "For authors of blocks": {
        "new-block": "write a module with a working block and its tests, to start from",
        "check": "check blocks without running them; say what to change, with file and line",
        "dev": "run an engine and the worker here, and reload the blocks at each save",
        "submit": "submit a job to the engine of `local` or `dev`, and wait for its result",
        "run-block": "run one block in a child, exactly as the daemon does, and print its result",
        "lab": "start real FRR routers or emulated IOS devices here, to try blocks, and end them",
        "blocks": "list the function blocks, and the modules that are left out or can't be imported",
    },
}
"""The commands besides the daemon, which runs without any of these words."""

COMMANDS: Final = {name: text for group in COMMAND_GROUPS.values() for name, text in group.items()}

EXIT_NOBODY_READS: Final = 141
"""The exit code that a shell shows for a program that SIGPIPE has ended."""
EXIT_INTERRUPTED: Final = 130
EXIT_NOT_WRITTEN: Final = 74
"""EX_IOERR of sysexits.h: the output was not, or not completely, written. It says nothing about the answer."""

_NO_TEMPORARY: Final = "No usable temporary directory found"
"""How the text of `tempfile` begins: its error has no other field. The import of `multiprocess` asks it already."""

_WORDS_FOR_FLAGS: Final = ("help", "version")
"""People type these words if they don't know yet that they are flags here."""

_KEPT: Final = (None, "run-block", "blocks", "doctor", "local", "dev", "check")
"""The commands that import or run blocks: what these start must not outlive the command, even if it is killed."""

_RUN_UNTIL_STOPPED: Final = (None, "local", "dev")
"""The commands among these whose work is complete when somebody stops them, at any time."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code.

    0 fine, 1 failed, 2 wrong usage, 74 output that could not be written, 130 Ctrl-C, 143 SIGTERM, 141 nobody reads.
    """
    try:
        _prepare_output()
        return _until_nobody_reads(lambda: _run(arguments))
    except KeyboardInterrupt:  # before a command has begun that can handle it
        return EXIT_INTERRUPTED


def _run(arguments: list[str] | None) -> int:
    given = sys.argv[1:] if arguments is None else arguments
    if given and given[0] in _WORDS_FOR_FLAGS:
        # `supervisor help COMMAND` is its help.
        given = [*given[1:2], "--help"] if given[0] == "help" else ["--version"]
    name = given[0] if given and given[0] in COMMANDS else None
    rest = given if name is None else given[1:]
    if given[:1] == ["--version"]:
        print(importlib.import_module("supervisor.settings.command_parser").version_text())
        return 0
    if name is None and given and not given[0].startswith("-"):
        print(_unknown(given[0]), file=sys.stderr)
        return 2

    def run() -> int:
        try:
            return int(import_uncollected(module_of(name or "daemon")).run(rest))
        except NoHomeError as error:
            print(f"{program}: {error}", file=sys.stderr)
            return error.exit_code
        except FileNotFoundError as error:
            if not (error.strerror or "").startswith(_NO_TEMPORARY):
                raise
            advice = "Make room in one of them, or set TMPDIR to a directory that you may write to."
            print(f"{program}: {error.strerror}. {advice}", file=sys.stderr)
            return 1

    program = "supervisor" if name is None else f"supervisor {name}"
    if name not in _KEPT:
        return run()
    return keep(run, program=program, runs_until_stopped=name in _RUN_UNTIL_STOPPED)


def _prepare_output() -> None:
    """Make sure that there is an output, and that every text can be written to it, whatever the locale."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # the caller has closed it; a file opened later must not get this number
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115  # for as long as the process lives
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _until_nobody_reads(run: Callable[[], int]) -> int:
    """Run a command and return its exit code. If its reader has gone, as with `| head`, it ends silently."""
    try:
        try:
            return run()
        except OSError as error:
            if error.errno in _OF_A_FULL_OUTPUT and error.filename is None and not _can_be_written():
                raise _NotWrittenError(error.strerror) from error
            raise
        finally:
            _flush()
    except _NotWrittenError as error:
        with contextlib.suppress(OSError):
            print(f"supervisor: The output could not be written: {error}.", file=sys.stderr)
        _leave_unwritten(1)
        return EXIT_NOT_WRITTEN
    except BrokenPipeError:
        if not (gone := [descriptor for descriptor in (1, 2) if _is_broken(descriptor)]):
            raise
        _leave_unwritten(*gone)
        return EXIT_NOBODY_READS


class _NotWrittenError(Exception):
    """Standard output can't be written, although its reader has not gone: a full disk, say. The text says why."""


_OF_A_FULL_OUTPUT: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def _can_be_written() -> bool:
    """Whether a line end can be written now: without a buffer (PYTHONUNBUFFERED) nothing else shows it."""
    try:
        return os.write(1, b"\n") == 1
    except OSError:
        return False


def _flush() -> None:
    try:
        # Data that an earlier `print` could not write is still in the buffer, so the same error comes again here.
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise _NotWrittenError(error.strerror) from error


def _leave_unwritten(*descriptors: int) -> None:
    """Keep the interpreter's last flush from failing."""
    null = os.open(os.devnull, os.O_WRONLY)
    for descriptor in descriptors:
        os.dup2(null, descriptor)


def _is_broken(descriptor: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, 0)
    return any(event & select.POLLERR for _, event in poll.poll(0))


def module_of(command: str) -> str:
    """Return the module that runs a command: its own file, or `command` in its own folder."""
    module = f"supervisor.commands.{command.replace('-', '_')}"
    spec = importlib.util.find_spec(module)
    is_folder = spec is not None and spec.submodule_search_locations is not None
    return f"{module}.command" if is_folder else module


def _unknown(word: str) -> str:
    import difflib  # not at the top: the keeper keeps everything imported there as long as the worker runs

    near = difflib.get_close_matches(word, COMMANDS, n=1)
    meant = f" Did you mean {near[0]}?" if near else ""
    return f"supervisor: there is no command {word}.{meant} All commands: supervisor --help"


if __name__ == "__main__":
    sys.exit(main())
