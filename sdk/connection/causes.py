"""Why a session on a device failed. `sdk.connection.meanings` says what each cause means to people."""

from __future__ import annotations

from enum import StrEnum


class Cause(StrEnum):
    """Why a session on a device failed. Programs compare these; people read the message."""

    # What is known of the device
    NO_DEVICE = "no_device"
    NO_ADDRESS = "no_address"
    BAD_ADDRESS = "bad_address"
    NO_LOGIN = "no_login"
    BAD_LOGIN = "bad_login"
    BAD_PORT = "bad_port"
    BAD_CONNECTION_OPTIONS = "bad_connection_options"
    NO_JUMP_HOST = "no_jump_host"
    BAD_KEY_FILE = "bad_key_file"
    NO_PLATFORM = "no_platform"
    UNKNOWN_PLATFORM = "unknown_platform"
    NOT_SUPPORTED = "not_supported"
    # Reaching it
    UNKNOWN_NAME = "unknown_name"
    UNREACHABLE = "unreachable"
    CONNECT_TIMEOUT = "connect_timeout"
    NOT_SSH = "not_ssh"
    NO_BANNER = "no_banner"
    ENDLESS_BANNER = "endless_banner"
    NO_KEY_EXCHANGE = "no_key_exchange"
    NO_COMMON_ALGORITHM = "no_common_algorithm"
    HOST_KEY_CHANGED = "host_key_changed"
    HOST_KEY_UNKNOWN = "host_key_unknown"
    JUMP_HOST_FORBIDS = "jump_host_forbids"
    # Logging in
    WRONG_PASSWORD = "wrong_password"  # noqa: S105  # the name of a cause
    NO_LOGIN_METHOD = "no_login_method"
    SECOND_FACTOR = "second_factor"
    EXPIRED_PASSWORD = "expired_password"  # noqa: S105  # the name of a cause
    LOGIN_TIMEOUT = "login_timeout"
    SESSION_LIMIT = "session_limit"
    SESSIONS_TAKEN = "sessions_taken"
    # In the session
    BAD_COMMAND = "bad_command"
    NO_PROMPT = "no_prompt"
    WRONG_PLATFORM = "wrong_platform"
    FOREIGN_SHELL = "foreign_shell"
    NO_ENABLE_SECRET = "no_enable_secret"  # noqa: S105  # the name of a cause
    WRONG_ENABLE_SECRET = "wrong_enable_secret"  # noqa: S105  # the name of a cause
    PAGER = "pager"
    QUESTION = "question"
    PASSWORD_ASKED = "password_asked"  # noqa: S105  # the name of a cause
    REFUSED_COMMAND = "refused_command"
    UNREADABLE_ANSWER = "unreadable_answer"
    UNEXPECTED_ANSWER = "unexpected_answer"
    COMMAND_TIMEOUT = "command_timeout"
    CONNECTION_LOST = "connection_lost"
    SESSION_ENDED = "session_ended"
    SESSION_LOG_FAILED = "session_log_failed"
    # Among many
    DEVICE_TIMEOUT = "device_timeout"
    UNEXPECTED = "unexpected"
    # Changing its configuration
    CONFIGURATION_CHANGED = "configuration_changed"
    NO_CONFIRM_TIMER = "no_confirm_timer"
    TIMER_UNKNOWN = "timer_unknown"
    LINE_REFUSED = "line_refused"
    CHANGE_INTERRUPTED = "change_interrupted"
    CHANGE_UNCONFIRMED = "change_unconfirmed"
    CONFIRMED_TOO_LATE = "confirmed_too_late"
    NOT_RESTORED = "not_restored"
    NOTHING_TO_RESTORE = "nothing_to_restore"
