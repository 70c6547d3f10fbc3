"""The environment that systemd gives a service: the settings of a unit's worker, without starting it."""

import os
import re
import shlex
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from supervisor.errors import SupervisorError
from supervisor.settings.legacy_environment import LEGACY_NAMES
from supervisor.settings.run_settings import ENV_PREFIX

_SYSTEMCTL_SECONDS: Final = 20.0
_PROPERTIES: Final = ("LoadState", "Environment", "EnvironmentFiles", "StateDirectory", "RuntimeDirectory")
_DIRECTORIES: Final = {
    "StateDirectory": ("STATE_DIRECTORY", "/var/lib"),
    "RuntimeDirectory": ("RUNTIME_DIRECTORY", "/run"),
}
_MAY_BE_MISSING: Final = " (ignore_errors=yes)"
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)


class UnitSettingsError(SupervisorError):
    """The settings of a unit can't be found out. The message says what to do."""

    exit_code = 2


def environment_of(unit: str) -> dict[str, str]:
    """Return the variables that systemd sets for this unit, with drop-ins, and its directories.

    `EnvironmentFile=` wins over `Environment=`, as in systemd. Raises `UnitSettingsError`.
    """
    shown = _show(unit if "." in unit else f"{unit}.service")
    if (state := "".join(shown["LoadState"])) != "loaded":
        raise UnitSettingsError(_why_not_loaded(unit, state))
    assignments = (each.partition("=") for line in shown["Environment"] for each in shlex.split(line))
    found = {name: value for name, _, value in assignments}
    for line in shown["EnvironmentFiles"]:
        name, _, _ = line.partition(" (ignore_errors=")
        found |= _file(Path(name), may_be_missing=line.endswith(_MAY_BE_MISSING))
    for name, (variable, base) in _DIRECTORIES.items():
        # `RuntimeDirectory=a b:link`: the first one is the worker's.
        for first in shown[name][0].split()[:1] if shown[name] else ():
            found[variable] = f"{base}/{first.partition(':')[0]}"
    return found


def _why_not_loaded(unit: str, state: str) -> str:
    if state == "not-found":
        return f"systemd knows no unit {unit}. `systemctl list-unit-files 'neops*'` shows those there are."
    if state == "masked":
        return f"The unit {unit} is masked, so that systemd does not start it: systemctl unmask {unit}."
    return f"systemd can't load the unit {unit} ({state}). `systemctl status {unit}` says why."


def without_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without the variables that a shell has set for a worker."""
    directories = {variable for variable, _ in _DIRECTORIES.values()}
    return {
        name: value
        for name, value in environment.items()
        if not name.upper().startswith(ENV_PREFIX) and name not in LEGACY_NAMES and name not in directories
    }


def has_flag(flag: str, arguments: Sequence[str]) -> bool:
    """Whether this flag is among the arguments."""
    return any(each == flag or each.startswith(f"{flag}=") for each in arguments)


def without_flag(flag: str, arguments: Sequence[str]) -> list[str]:
    """Return the arguments without this flag and its value."""
    rest = list(arguments)
    while flag in rest:
        at = rest.index(flag)
        del rest[at : at + 2]
    return [each for each in rest if not each.startswith(f"{flag}=")]


def variables_in(text: str) -> dict[str, str]:
    """Return the variables that systemd takes from a file in `EnvironmentFile=` (systemd.exec(5))."""
    return dict(_assignments(text))


def _assignments(text: str) -> Iterator[tuple[str, str]]:
    for line in re.sub(r"\\\n", "", text).splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.lstrip().startswith(("#", ";")):
            yield name.strip(), _unquoted(value.strip())


def _unquoted(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] == "'":
        return value[1:-1]
    if len(value) >= 2 and value[0] == value[-1] == '"':
        return _ESCAPED.sub(lambda match: match[1] if match[1] in '"\\`$' else match[0], value[1:-1])
    return _ESCAPED.sub(lambda match: match[1], value)


def _file(path: Path, *, may_be_missing: bool) -> dict[str, str]:
    try:
        return variables_in(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if may_be_missing:
            return {}
        raise UnitSettingsError(f"{path}, which the unit names, is not there: make it.") from None
    except PermissionError:
        raise UnitSettingsError(f"{path}, which the unit names, can't be read: run this as root.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UnitSettingsError(f"{path}, which the unit names, can't be read: {error}.") from None


def _show(unit: str) -> dict[str, list[str]]:
    command = ["systemctl", "show", f"--property={','.join(_PROPERTIES)}", "--", unit]
    try:
        done = subprocess.run(  # noqa: S603  # the unit is an argument of its own, behind `--`
            command,
            env={**os.environ, "LC_ALL": "C"},
            capture_output=True,
            text=True,
            timeout=_SYSTEMCTL_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnitSettingsError(f"systemd can't be asked for {unit}: {error}.") from None
    if done.returncode:
        raise UnitSettingsError(f"systemd can't be asked for {unit}: {done.stderr.strip()}")
    shown: dict[str, list[str]] = {name: [] for name in _PROPERTIES}
    for line in done.stdout.splitlines():
        name, _, value = line.partition("=")
        if value and name in shown:
            shown[name].append(value)
    return shown
