"""Runs a command that asks a worker: finds it, asks it, and turns every refusal into a message and an exit code."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from supervisor.commands.control.settings import ControlSettings
from supervisor.commands.local.places import WORKER_DIRECTORY, local_state_directory
from supervisor.control.client import ControlClient, NotAllowedError, NoWorkerError
from supervisor.control.exit_codes import NO_WORKER, NOT_ALLOWED, exit_code_of
from supervisor.control.place import SOCKET, runtime_directory
from supervisor.control.protocol import ControlError
from supervisor.settings.files import default_state_directory

EXIT_INTERRUPTED: Final = 130
OF_THE_SERVICE: Final = Path("/run/neops-supervisor")
"""Where systemd makes the shipped unit's RuntimeDirectory: a person's shell knows nothing of that variable."""


def run_asking(program: str, settings: ControlSettings, ask: Callable[[ControlClient], int]) -> int:
    """Return what `ask` returns, or the exit code for why the worker could not be asked, after saying it on stderr."""
    try:
        return ask(client_of(settings))
    except ControlError as error:
        return _failed(program, error, exit_code_of(error.cause))
    except NoWorkerError as error:
        return _failed(program, error, NO_WORKER)
    except NotAllowedError as error:
        return _failed(program, error, NOT_ALLOWED)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


def client_of(settings: ControlSettings) -> ControlClient:
    """Return who asks the worker that is meant. Raises `NoWorkerError` where that is not clear."""
    if settings.runtime_dir is not None:
        return ControlClient(settings.runtime_dir)
    if settings.state_dir is not None:
        places = [settings.state_dir, settings.state_dir / WORKER_DIRECTORY]
    else:
        places = [
            default_state_directory(),
            local_state_directory(),
            local_state_directory() / WORKER_DIRECTORY,
        ]
    directories = list(dict.fromkeys(runtime_directory(None, place) for place in places))
    found = [directory for directory in directories if _may_have_a_socket(directory)]
    if len(found) > 1:
        listed = " or ".join(map(str, found))
        raise NoWorkerError(f"There is more than one worker. Say which one is meant: --runtime-dir {listed}.")
    return ControlClient(found[0] if found else directories[0])


def print_json(data: Any) -> None:
    """Print an answer for programs."""
    print(json.dumps(data, indent=2))


def _may_have_a_socket(directory: Path) -> bool:
    try:
        os.stat(directory / SOCKET)
    except PermissionError:
        return True
    except OSError:
        return False
    return True


def _failed(program: str, error: Exception, code: int) -> int:
    print(f"{program}: {error}", file=sys.stderr)
    return code
