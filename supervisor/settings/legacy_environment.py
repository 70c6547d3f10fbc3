"""The environment variables of `neops_worker_sdk`'s worker: its `.env` starts this worker unchanged."""

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

# The package `dotenv` logs each line that it can't read, at each reading, without the file's name. Our own messages
# come from `supervisor.settings.problems`.
logging.getLogger("dotenv").setLevel(logging.ERROR)

_LOGIN: Final = re.compile(r"^(https?://)[^/]*@")


class NamesForBlocks:
    """The old names in the environment of this process, with the current values. Jobs see them.

    Blocks of the other worker read its settings by these names (`neops_worker_sdk.config`). They are withdrawn while
    settings are read again: these are values of this worker, and nobody has set them.
    """

    def __init__(self) -> None:
        self._before: dict[str, str | None] = {}

    def publish(self, settings: BaseSettings) -> list[str]:
        """Set the names, and return those that were set."""
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
        """Withdraw the names for the length of the context. If it fails, the earlier values are restored."""
        values, before = {name: os.environ[name] for name in self._before}, self._before
        self.withdraw()
        try:
            yield
        except BaseException:
            os.environ.update(values)
            self._before = before
            raise

    def withdraw(self) -> None:
        """Undo what `publish` has set."""
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
        # When the package is imported, it calls int() on all others, which fails for "0.5" and for "1e+06".
        return f"{value:g}" if name == _OF_FRACTIONS else str(math.ceil(value))
    # Jobs must not get a password in the engine's address: it is the worker's.
    return _LOGIN.sub(r"\1", str(value))


class LegacyEnvironment(PydanticBaseSettingsSource):
    """Reads the old names from the environment and from `.env`. Our own names have precedence."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Return nothing for a single field: all are read together."""
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        """Return what is set under an old name. In the file, our own name wins over an old one."""
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
