"""Which endpoints a job's devices have, by what the engine has sent: of no others is a host key kept. Pure.

The rules are those of `sdk.connection.login`: the address of the device, else that of its `connection_options`; the
port of the parameters, else that of the options, else 22; and the jump host of either.
"""

import json
from collections.abc import Generator, Iterator, Mapping
from typing import Any, Final

from supervisor.host_keys.endpoint import SSH_PORT, Endpoint, endpoint_of, is_port
from supervisor.job.json_grammar import of_python
from supervisor.job.json_pieces import NotJsonError, Scanner, Shape

MOST_ENDPOINTS: Final = 20_000
_OPTIONS_CAP_CHARS: Final = 64 * 1024

_LIST: Final = Shape(b"[", in_spans=True)
_ITEM: Final = Shape(b"{", in_spans=True)
_OF_PARAMETERS: Final = (b"port", b"jump_host")
_OF_DEVICE: Final = (b"ip", b"hostname", b"connectionOptions")

Endpoints = frozenset[Endpoint]
NONE: Final[Endpoints] = frozenset()


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


def endpoints_in_steps(parameters: bytes, context: bytes) -> Generator[None, None, Endpoints]:
    """Return what `endpoints_of` does of the same as text: a few milliseconds' work for each step."""
    found: set[Endpoint] = set()
    try:
        whole = yield from _members(context, _ITEM, (b"devices",))
        if (devices := whole.get("devices", b"")) == b"":
            return NONE
        given = _values((yield from _members(parameters, _ITEM, _OF_PARAMETERS)))
        scanner = Scanner(devices, of_python())
        yield from scanner.steps(_LIST, encoding=False)
        for span in scanner.spans:
            text = devices[span.begin : span.end]
            if text[:1] == b"{" and len(found) < MOST_ENDPOINTS:
                found.update(_of_device(_values((yield from _members(text, _ITEM, _OF_DEVICE))), given))
    except NotJsonError:
        pass  # nothing is kept of what can't be read
    return frozenset(found)


def _members(text: bytes, shape: Shape, keys: tuple[bytes, ...]) -> Generator[None, None, dict[str, bytes]]:
    scanner = Scanner(text, of_python())
    yield from scanner.steps(shape, encoding=False)
    return {span.key.decode(): text[span.begin : span.end] for span in scanner.spans if span.key in keys}


def _values(members: Mapping[str, bytes]) -> dict[str, Any]:
    return {key: json.loads(text) for key, text in members.items() if len(text) <= _OPTIONS_CAP_CHARS}


def _of_device(device: Mapping[str, Any], parameters: Mapping[str, Any]) -> Iterator[Endpoint]:
    options = _options(device.get("connectionOptions"))
    ports = (parameters.get("port"), options.get("port"))
    port = next((each for each in ports if is_port(each)), SSH_PORT)
    hosts = [device.get("ip"), device.get("hostname")]
    for host in hosts if any(hosts) else [options.get("host")]:
        if found := endpoint_of(host, port):
            yield found
    for source in (parameters, options):
        if found := _jump_host(source.get("jump_host")):
            yield found


def _jump_host(given: object) -> Endpoint | None:
    if isinstance(given, dict):
        port = given.get("port")
        return endpoint_of(given.get("host"), SSH_PORT if port is None else port)
    return endpoint_of(given)


def _options(text: object) -> Mapping[str, Any]:
    if not isinstance(text, str) or len(text) > _OPTIONS_CAP_CHARS or "{" not in text:
        return {}
    try:
        options = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return options if isinstance(options, dict) else {}
