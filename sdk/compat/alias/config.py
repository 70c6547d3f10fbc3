"""The other worker's settings, as plain values: in a job of the daemon this worker's, otherwise the defaults."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from sdk.compat.migration_hints import refusing


def fb_directories(config_value: str | None) -> list[str]:
    """The directories of a list that is separated by commas."""
    return [part.strip() for part in (config_value or "").split(",") if part.strip()]


def _number(name: str, default: float) -> float:
    try:
        return float(os.environ[name])
    except (KeyError, ValueError):
        return default


LOCALHOST = os.environ.get("LOCALHOST")
PORT = os.environ.get("PORT")
USERNAME = os.environ.get("USERNAME")
PASSWORD = os.environ.get("PASSWORD")
URL_GRAPHQL = os.environ.get("URL_GRAPHQL")
URL_BLACKBOARD = os.environ.get("URL_BLACKBOARD")
DIR_FUNCTION_BLOCKS = fb_directories(os.environ.get("DIR_FUNCTION_BLOCKS"))
WORKER_NAME = os.environ.get("WORKER_NAME")
WORKER_IP_ADDRESS = os.environ.get("WORKER_IP_ADDRESS")
SHUTDOWN_TIMEOUT = int(_number("SHUTDOWN_TIMEOUT", 60))
HEARTBEAT_INTERVAL = int(_number("HEARTBEAT_INTERVAL", 20))
POLL_INTERVAL = int(_number("POLL_INTERVAL", 10))
API_REQUEST_TIMEOUT = int(_number("API_REQUEST_TIMEOUT", 30))
RESULT_PUSH_TIMEOUT = int(_number("RESULT_PUSH_TIMEOUT", 300))
STARTUP_RETRY_TIMEOUT = int(_number("STARTUP_RETRY_TIMEOUT", 120))
BLOCKING_DETECTION_THRESHOLD = _number("BLOCKING_DETECTION_THRESHOLD", 0.5)


@dataclass
class Config:
    """The same values on an object."""

    localhost: str | None = LOCALHOST
    port: str | None = PORT
    username: str | None = USERNAME
    password: str | None = field(default=PASSWORD, repr=False)
    url_graphql: str | None = URL_GRAPHQL
    url_blackboard: str | None = URL_BLACKBOARD
    worker_name: str | None = WORKER_NAME
    worker_ip_address: str | None = WORKER_IP_ADDRESS
    shutdown_timeout: int = SHUTDOWN_TIMEOUT
    heartbeat_interval: int = HEARTBEAT_INTERVAL
    poll_interval: int = POLL_INTERVAL
    api_request_timeout: int = API_REQUEST_TIMEOUT
    result_push_timeout: int = RESULT_PUSH_TIMEOUT
    startup_retry_timeout: int = STARTUP_RETRY_TIMEOUT
    blocking_detection_threshold: float = BLOCKING_DETECTION_THRESHOLD

    @staticmethod
    def fb_directories() -> list[str]:
        """The directories with blocks."""
        return DIR_FUNCTION_BLOCKS


__getattr__ = refusing(__name__)
