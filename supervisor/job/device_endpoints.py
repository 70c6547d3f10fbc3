"""The endpoints of a job's devices, from the engine's data: host keys of other endpoints are not kept. Pure.

The rules are the same as in `sdk.connection.login`: the address of the device, otherwise the address in its
`connection_options`; the port of the parameters, otherwise the options', otherwise 22; and the jump host of either.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from supervisor.job.host_keys.endpoint import SSH_PORT, Endpoint, endpoint_of, is_port
from supervisor.job.json_secrets import Keys

MOST_ENDPOINTS: Final = 20_000
_OPTIONS_CAP_CHARS: Final = 64 * 1024

_DEVICES: Final = "devices"
_ONE_DEVICE: Final = (_DEVICES, None)
_OF_PARAMETERS: Final = ("port", "jump_host")
_OF_DEVICE: Final = ("ip", "hostname", "connectionOptions")

Endpoints = frozenset[Endpoint]
NONE: Final[Endpoints] = frozenset()
_NO_OPTIONS: Final[Mapping[str, Any]] = {}


def endpoints_of(parameters: Mapping[str, Any], context: Mapping[str, Any]) -> Endpoints:
    """Return the endpoints of the devices in a job's context, and of their jump hosts."""
    devices = context.get("devices")
    if not devices or not isinstance(devices, list):
        return NONE
    found: set[Endpoint] = set()
    for device in devices:
        if isinstance(device, dict) and len(found) < MOST_ENDPOINTS:
            found.update(_of_device(device, parameters))
    return frozenset(found)


class EndpointSearch:
    """Gets a job's parameters, then its context, as they are read in pieces (`json_secrets.Listener`)."""

    def __init__(self) -> None:
        self.of_parameters = _OfParameters()
        self.of_context = _OfContext(self.of_parameters.given)

    def found(self) -> Endpoints:
        """Return the same as `endpoints_of`, once everything was read."""
        self.of_context.end_device()
        return frozenset(self.of_context.found)


class _OfParameters:
    def __init__(self) -> None:
        self.given: dict[str, Any] = {}

    def opened(self, keys: Keys) -> None:
        if len(keys) == 1:
            self.given.pop(str(keys[0]), None)  # such a large value is not valid here

    def heard(self, keys: Keys, members: Any) -> None:
        if not keys:
            self.given.update((key, members[key]) for key in _OF_PARAMETERS if key in members)


class _OfContext:
    def __init__(self, parameters: Mapping[str, Any]) -> None:
        self.found: set[Endpoint] = set()
        self._parameters = parameters
        self._device: dict[str, Any] = {}
        """The data so far of a device that is read in parts."""

    def opened(self, keys: Keys) -> None:
        if keys == (_DEVICES,):
            self._begin()
        elif keys == _ONE_DEVICE:
            self.end_device()
        elif len(keys) == 3 and keys[:2] == _ONE_DEVICE:
            self._device.pop(str(keys[2]), None)

    def heard(self, keys: Keys, members: Any) -> None:
        if keys == (_DEVICES,):
            self._take(members)
        elif keys == _ONE_DEVICE and isinstance(members, dict):
            self._device.update((key, members[key]) for key in _OF_DEVICE if key in members)
        elif not keys and _DEVICES in members:
            self._begin()
            self._take(members[_DEVICES])

    def end_device(self) -> None:
        """Use the data of a device that was read in parts."""
        device, self._device = self._device, {}
        if device:
            self._take([device])

    def _begin(self) -> None:
        """If there are two lists of devices, the child sees the last one."""
        self._device = {}
        self.found.clear()

    def _take(self, devices: object) -> None:
        for device in devices if isinstance(devices, list) else ():
            if isinstance(device, dict) and len(self.found) < MOST_ENDPOINTS:
                self.found.update(_of_device(device, self._parameters))


def _of_device(device: Mapping[str, Any], parameters: Mapping[str, Any]) -> Iterator[Endpoint]:
    text = device.get("connectionOptions")
    options = _options(text) if text else _NO_OPTIONS
    port = parameters.get("port")
    if not is_port(port) and not is_port(port := options.get("port")):
        port = SSH_PORT
    hosts = [host for host in (device.get("ip"), device.get("hostname")) if host]
    for host in hosts or [options.get("host")]:
        if found := endpoint_of(host, port):
            yield found
    for source in (parameters, options):
        if (given := source.get("jump_host")) and (found := _jump_host(given)):
            yield found


def _jump_host(given: object) -> Endpoint | None:
    if isinstance(given, dict):
        port = given.get("port")
        return endpoint_of(given.get("host"), SSH_PORT if port is None else port)
    return endpoint_of(given)


def _options(text: object) -> Mapping[str, Any]:
    if not isinstance(text, str) or len(text) > _OPTIONS_CAP_CHARS or "{" not in text:
        return _NO_OPTIONS
    try:
        options = json.loads(text)
    except (ValueError, RecursionError):
        return _NO_OPTIONS
    return options if isinstance(options, dict) else _NO_OPTIONS
