"""Errors before a login: the inventory lacks something, or a device is not reached or not trusted."""

from __future__ import annotations

from sdk.connection.causes import Cause
from sdk.connection.device_error import DeviceError


class NoDeviceError(DeviceError):
    """The job has no device."""

    cause = Cause.NO_DEVICE


class NoAddressError(DeviceError):
    """The device has neither an address nor a host name."""

    cause = Cause.NO_ADDRESS


class BadAddressError(DeviceError):
    """The inventory's address of the device is neither an address nor a name."""

    cause = Cause.BAD_ADDRESS


class NoLoginError(DeviceError):
    """The device has no username, or neither a password nor a key."""

    cause = Cause.NO_LOGIN


class BadLoginError(DeviceError):
    """The login holds characters that can't be sent."""

    cause = Cause.BAD_LOGIN


class BadPortError(DeviceError):
    """The port is not a valid port number."""

    cause = Cause.BAD_PORT


class BadConnectionOptionsError(DeviceError):
    """The connection options of the device are not a JSON object with known keys."""

    cause = Cause.BAD_CONNECTION_OPTIONS


class NoJumpHostError(DeviceError):
    """A jump host is required, but has no address."""

    cause = Cause.NO_JUMP_HOST


class BadKeyFileError(DeviceError):
    """The private key can't be read, or needs another passphrase."""

    cause = Cause.BAD_KEY_FILE


class NoPlatformError(DeviceError):
    """The device has no platform."""

    cause = Cause.NO_PLATFORM


class UnknownPlatformError(DeviceError):
    """Neither a plugin nor netmiko knows the platform."""

    cause = Cause.UNKNOWN_PLATFORM


class NotSupportedError(DeviceError):
    """The platform's plugin lacks the function that was asked for."""

    cause = Cause.NOT_SUPPORTED


class UnknownNameError(DeviceError):
    """The host name is not known."""

    cause = Cause.UNKNOWN_NAME


class UnreachableError(DeviceError):
    """No TCP connection: refused, no route."""

    cause = Cause.UNREACHABLE


class ConnectTimeoutError(DeviceError):
    """No TCP connection in time: nothing answered."""

    cause = Cause.CONNECT_TIMEOUT


class NotSshError(DeviceError):
    """Another service answers on the port: HTTP, telnet."""

    cause = Cause.NOT_SSH


class NoBannerError(DeviceError):
    """The port accepts connections, but sends nothing."""

    cause = Cause.NO_BANNER


class EndlessBannerError(DeviceError):
    """The port sends lines without end, and no SSH banner."""

    cause = Cause.ENDLESS_BANNER


class NoKeyExchangeError(DeviceError):
    """The SSH banner came, but the key exchange did not end."""

    cause = Cause.NO_KEY_EXCHANGE


class NoCommonAlgorithmError(DeviceError):
    """Device and worker have no algorithm in common."""

    cause = Cause.NO_COMMON_ALGORITHM


class HostKeyChangedError(DeviceError):
    """The device has shown another host key than the known one. No password was sent."""

    cause = Cause.HOST_KEY_CHANGED


class HostKeyUnknownError(DeviceError):
    """The device's host key is not known, and only known ones may be accepted. No password was sent."""

    cause = Cause.HOST_KEY_UNKNOWN


class JumpHostForbidsError(DeviceError):
    """The jump host forwards no connections."""

    cause = Cause.JUMP_HOST_FORBIDS
