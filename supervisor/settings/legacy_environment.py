"""The environment variables of the worker that people come from: its `.env` starts this one unchanged."""

import contextlib
import logging
import math
import os
import re
from collections.abc import Iterator
from typing import Any, Final

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from supervisor.settings import env_file

LEGACY_NAMES: Final = {
    "URL_BLACKBOARD": "engine_url",
    "DIR_FUNCTION_BLOCKS": "function_blocks",
    "WORKER_NAME": "worker_name",
    "WORKER_IP_ADDRESS": "worker_ip_address",
    "HEARTBEAT_INTERVAL": "heartbeat_seconds",
    "POLL_INTERVAL": "poll_seconds",
    "SHUTDOWN_TIMEOUT": "shutdown_timeout_seconds",
    "API_REQUEST_TIMEOUT": "request_timeout_seconds",
    "STARTUP_RETRY_TIMEOUT": "startup_retry_seconds",
    "BLOCKING_DETECTION_THRESHOLD": "blocking_seconds",
    "LOG_REDACT_EXTRA_KEYS": "redact_keys",
}
"""Old name to setting. `RESULT_PUSH_TIMEOUT` has no counterpart: a result is kept until the engine has it."""

_OF_FRACTIONS: Final = "BLOCKING_DETECTION_THRESHOLD"

# It warns of each line that it can't read, each time that it reads the file, and without the file's name. What
# concerns us is told by `supervisor.settings.problems`.
logging.getLogger("dotenv").setLevel(logging.ERROR)

_LOGIN: Final = re.compile(r"^(https?://)[^/]*@")


class NamesForBlocks:
    """The old names in the environment of this process, with the values in force, for jobs to see.

    Blocks of the other worker read its settings by these names (`neops_worker_sdk.config`). Withdrawn while
    settings are read anew: they are values of this worker, and not what somebody has set.
    """

    def __init__(self) -> None:
        self._before: dict[str, str | None] = {}

    def publish(self, settings: BaseSettings) -> list[str]:
        """Set the names, and return those that are set."""
        self.withdraw()
        values = {
            name: _as_text(name, value)
            for name, setting in LEGACY_NAMES.items()
            if (value := getattr(settings, setting, None)) is not None
        }
        self._before = {name: os.environ.get(name) for name in values}
        os.environ.update(values)
        return list(values)

    @contextlib.contextmanager
    def withdrawn(self) -> Iterator[None]:
        """Withdraw the names for the length of the context; where it fails, what was there is there again."""
        values, before = {name: os.environ[name] for name in self._before}, self._before
        self.withdraw()
        try:
            yield
        except BaseException:
            os.environ.update(values)
            self._before = before
            raise

    def withdraw(self) -> None:
        """Set back what `publish` has set."""
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        self._before = {}


def _as_text(name: str, value: object) -> str:
    if isinstance(value, list):
        return ",".join(map(str, value))
    if isinstance(value, int | float):
        # The package takes int() of all others when it is imported, which fails for "0.5" and for "1e+06".
        return f"{value:g}" if name == _OF_FRACTIONS else str(math.ceil(value))
    # A password in the engine's address is the worker's, and no job's.
    return _LOGIN.sub(r"\1", str(value))


class LegacyEnvironment(PydanticBaseSettingsSource):
    """Reads the old names from the environment and from `.env`, below our own in precedence."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Return nothing for a single field: all are read at once."""
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        """Return what is set under an old name. What is in the file gives way to our own name there."""
        file = env_file.values()
        own = {name.upper() for name, value in file.items() if value}
        prefix = str(self.config.get("env_prefix", ""))
        known = self.settings_cls.model_fields
        return {
            setting: value
            for name, setting in LEGACY_NAMES.items()
            if setting in known
            and (
                value := os.environ.get(name)
                or (file.get(name) if f"{prefix}{setting}".upper() not in own else None)
            )
        }
