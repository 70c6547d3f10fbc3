"""Runs a command that asks a worker: finds the worker, asks it, and turns each refusal into a message and exit code."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from supervisor.commands.control.settings import ControlSettings
from supervisor.commands.local.places import WORKER_DIRECTORY, local_state_directory
from supervisor.commands.shared.service_places import (
    runtime_directory_of,
    service_runtime_directories,
    service_state_directories,
)
from supervisor.log.format import printable
from supervisor.settings.files import default_state_directory
from supervisor.worker.control_socket.client import (
    ControlClient,
    NotAllowedError,
    NoWorkerError,
    socket_state,
)
from supervisor.worker.control_socket.exit_codes import NO_WORKER, NOT_ALLOWED, exit_code_of
from supervisor.worker.control_socket.place import runtime_directory
from supervisor.worker.control_socket.protocol import ControlError

EXIT_INTERRUPTED: Final = 130


def run_request(program: str, settings: ControlSettings, ask: Callable[[ControlClient], int]) -> int:
    """Return the result of `ask`. If the worker could not be asked, say why on stderr and return an exit code."""
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
    """Return the client for the meant worker. Raises `NoWorkerError` if that is not clear."""
    if settings.runtime_dir is not None:
        return ControlClient(settings.runtime_dir)
    directories = _places(settings.state_dir)
    found = {directory: state for directory in directories if (state := socket_state(directory))}
    # A user with a worker of their own does not mean one that they may not even look at.
    listening = [each for each, state in found.items() if state == "listens"]
    # Workers that the user may not look at give no choice: the message says that the user may not ask.
    closed = [each for each, state in found.items() if state == "closed"]
    if len(listening) > 1:
        listed = " or ".join(f"--runtime-dir {each}" for each in listening)
        raise NoWorkerError(f"There is more than one worker. Say which one is meant: {listed}.")
    return ControlClient((listening or closed or directories)[0], directories)


def _places(state_dir: Path | None) -> list[Path]:
    """Return the runtime directories in which the worker's control socket may be, the most likely one first."""
    if state_dir is not None:
        states, services = [state_dir], [runtime_directory_of(state_dir)]
    else:
        own = [default_state_directory(), local_state_directory()]
        states = [*own, *service_state_directories()]
        services = [*service_runtime_directories()]
    if os.environ.get("RUNTIME_DIRECTORY"):  # systemd has named it
        services = []
    below = [runtime_directory(None, each) for state in states for each in (state, state / WORKER_DIRECTORY)]
    return list(dict.fromkeys([*below[:2], *filter(None, services), *below[2:]]))


def _failed(program: str, error: Exception, code: int) -> int:
    print(f"{program}: {printable(str(error))}", file=sys.stderr)
    return code
