"""The caps: each bounds what one side can make the other hold, so none changes by accident."""

from jobrunner.protocol import caps

KIB, MIB = 1024, 1024 * 1024
EXPECTED = {
    "HEADER_CAP_BYTES": 128 * KIB,
    "ORDER_CAP_BYTES": 64 * MIB,
    "CATALOGUE_CAP_BYTES": 64 * MIB,
    "MESSAGE_CAP_CHARS": 16_000,
    "WARNING_CAP_CHARS": 2000,
    "LOG_CAP_CHARS": 16_000,
    "LOGGER_CAP_CHARS": 500,
    "FIELDS_CAP": 50,
    "FIELD_CAP_CHARS": 1000,
    "FIELDS_CAP_CHARS": 3000,
    "NAMES_CAP": 200,
    "SECRETS_CAP": 200,
    "SECRET_CAP_CHARS": 1024,
    "SESSIONS_CAP": 20_000,
    "DEVICE_CAP_CHARS": 600,
    "CHANGES_CAP": 1000,
    "LINES_CAP": 1_000_000,
    "HOST_CAP_CHARS": 255,
    "HOST_KEY_CAP_CHARS": 4096,
}


def test_each_cap_is_what_was_decided() -> None:
    assert {name: value for name, value in vars(caps).items() if "_CAP" in name} == EXPECTED
