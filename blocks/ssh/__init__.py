"""Sessions on network devices through netmiko, which blocks: made cancellable and bounded for blocks."""

from blocks.ssh.connection import Login
from blocks.ssh.failures import DeviceError, UnexpectedDeviceError
from blocks.ssh.platforms import netmiko_device_type
from blocks.ssh.replies import is_rejection, parse_reply
from blocks.ssh.session import Session

__all__ = [
    "DeviceError",
    "Login",
    "Session",
    "UnexpectedDeviceError",
    "is_rejection",
    "netmiko_device_type",
    "parse_reply",
]
