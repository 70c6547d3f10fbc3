"""Where and how to log in to a device, put together from several sources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import BaseModel, Secret, SecretStr

from sdk.connection import address
from sdk.connection.causes import Cause
from sdk.connection.errors import fail
from sdk.connection.options import FIELDS, OptionsError, options_in
from sdk.masking import learn

DEFAULT_PORT: Final = 22

_CREDENTIALS: Final = ("username", "password", "key_file", "private_key", "passphrase")


@dataclass(frozen=True, slots=True)
class JumpHost:
    """The jump host for a device. `port` is the number of its TCP port.

    Secrets stay out of every `repr`.
    """

    host: str
    username: str
    port: int = DEFAULT_PORT
    password: str | None = field(default=None, repr=False)
    key_file: str | None = None
    passphrase: str | None = field(default=None, repr=False)
    private_key: str | None = field(default=None, repr=False)
    """The key itself, instead of a file."""

    @property
    def where(self) -> str:
        """The jump host's name in messages."""
        return f"The jump host {self.host} port {self.port}"

    @property
    def secrets(self) -> frozenset[str]:
        """Texts that must not be shown anywhere."""
        return _shown_nowhere(self.password, self.passphrase, self.private_key)


@dataclass(frozen=True, slots=True)
class Login:
    """Where and how to log in. `port` is the number of the TCP port. Secrets stay out of every `repr`."""

    host: str
    username: str
    port: int = DEFAULT_PORT
    password: str | None = field(default=None, repr=False)
    key_file: str | None = None
    passphrase: str | None = field(default=None, repr=False)
    enable_secret: str | None = field(default=None, repr=False)
    jump: JumpHost | None = None
    name: str | None = None
    """Its name in messages, if that is not its address."""
    private_key: str | None = field(default=None, repr=False)
    """The key itself, instead of a file."""

    @property
    def where(self) -> str:
        """The device's name in messages."""
        return self.name or f"{self.host} port {self.port}"

    @property
    def secrets(self) -> frozenset[str]:
        """Texts that must not be shown anywhere."""
        own = _shown_nowhere(self.password, self.passphrase, self.enable_secret, self.private_key)
        return own | self.jump.secrets if self.jump else own

    @property
    def jump_login(self) -> Login:
        """The login to the jump host itself; only if there is one."""
        assert self.jump is not None, "asked for only where there is one"
        jump = self.jump
        return Login(
            jump.host,
            jump.username,
            jump.port,
            jump.password,
            jump.key_file,
            jump.passphrase,
            name=jump.where,
            private_key=jump.private_key,
        )


def _shown_nowhere(*texts: str | None) -> frozenset[str]:
    """Return the secrets, and each line of those with several lines: a key may be shown line by line."""
    given = [text for text in texts if text]
    lines = [line for text in given if "\n" in text for line in text.splitlines()]
    return frozenset((*given, *(line for line in lines if line and not line.startswith("-----"))))


def as_login(device: Any, *, parameters: Any = None) -> Login:
    """Return `device` if it is a `Login` itself, otherwise the login to it: see `login_of`."""
    if not isinstance(device, Login):
        return login_of(device, parameters=parameters)
    learn(device.secrets)  # the block may have them from any source
    return device


def login_of(device: Any, *, parameters: Any = None, **overrides: Any) -> Login:
    """Return the login to a device of the job.

    Each part comes from the first of these that has it: `overrides`, the device itself, the values set in the
    parameters (a model or a mapping), the JSON in the device's `connection_options`, the defaults of the parameters'
    model. `jump_host` is an address, or a mapping or a model with `host`, `port`, `username`, `password`, `key_file`,
    `private_key` and `passphrase`. If it has no username, it gets the device's; if it also has no password and no
    key, it gets the device's whole login.

    Raises:
        DeviceError: there is no device, no address or an invalid one, no login, an invalid port, or connection
            options that can't be used. Not retryable.
        TypeError: an unknown override, or an object that is not a device.
    """
    if unknown := set(overrides) - FIELDS:
        raise TypeError(f"login_of has no argument {min(unknown)!r}. It has {', '.join(sorted(FIELDS))}.")
    if device is None and "host" not in overrides:
        raise fail(Cause.NO_DEVICE, "The job's entity")
    if isinstance(device, str | bytes | Mapping | list | tuple):
        kind = type(device).__name__
        raise TypeError(f"This {kind} is no device. Give a device of the job's context, or a Login.")
    name = _name_of(device)
    try:
        options = options_in(getattr(device, "connection_options", None))
    except OptionsError as error:
        raise fail(Cause.BAD_CONNECTION_OPTIONS, name, detail=str(error)) from None
    sources = [overrides, *_sources(device, parameters, options)]
    login = _login(name, _first_of(sources))
    # The masking knows what the device and the parameters hold. It may not know what is inside of a text.
    learn(login.secrets)
    return login


def _sources(device: Any, parameters: Any, options: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield {
        "host": getattr(device, "ip", None) or getattr(device, "hostname", None),
        "username": getattr(device, "username", None),
        "password": getattr(device, "password", None),
    }
    if isinstance(parameters, BaseModel):
        values = {name: getattr(parameters, name, None) for name in type(parameters).model_fields}
        given = parameters.model_fields_set
        yield {name: value for name, value in values.items() if name in given and name != "host"}
        yield options
        yield {name: value for name, value in values.items() if name not in given and name != "host"}
    else:
        if isinstance(parameters, Mapping):
            yield {name: value for name, value in parameters.items() if name != "host"}
        yield options


def _first_of(sources: list[Mapping[str, Any]]) -> dict[str, Any]:
    """Return each field from the first source that has it. An empty field counts as missing."""
    found: dict[str, Any] = {}
    for source in sources:
        for name in FIELDS:
            value = _plain(source.get(name))
            if name not in found and value not in (None, ""):
                found[name] = value
    return found


def _plain(value: Any) -> Any:
    return value.get_secret_value() if isinstance(value, SecretStr | Secret) else value


def _login(name: str, given: dict[str, Any]) -> Login:
    host = _text(given.get("host"))
    if not host:
        raise fail(Cause.NO_ADDRESS, name)
    _check_address(name, host)
    where = f"{name} ({host})" if name != host else host
    port = _port(where, given.get("port", DEFAULT_PORT))
    credentials = {field: _text(given.get(field)) for field in _CREDENTIALS}
    if not _is_login(credentials):
        raise fail(Cause.NO_LOGIN, where)
    enable_secret = _text(given.get("enable_secret"))
    _check_characters(where, {**credentials, "enable_secret": enable_secret})
    return Login(
        host=host,
        port=port,
        enable_secret=enable_secret,
        jump=_jump_host(where, given.get("jump_host"), credentials),
        **credentials,  # type: ignore[arg-type]  # its username is a text
    )


def _jump_host(where: str, given: Any, own: dict[str, str | None]) -> JumpHost | None:
    if given is None or isinstance(given, JumpHost):
        return given
    if isinstance(given, BaseModel):
        given = {name: getattr(given, name, None) for name in type(given).model_fields}
    parts: Mapping[str, Any] = given if isinstance(given, Mapping) else {"host": given}
    parts = {key: _plain(value) for key, value in parts.items() if value not in (None, "")}
    host = _text(parts.get("host"))
    if not host:
        raise fail(Cause.NO_JUMP_HOST, where)
    _check_address(f"The jump host of {where}", host)
    credentials = {field: _text(parts.get(field)) for field in _CREDENTIALS}
    if "username" not in parts:
        # Its own password or key is never left out: otherwise the jump host would get the device's.
        credentials["username"] = own["username"]
        credentials = credentials if _is_login(credentials) else own
    if not _is_login(credentials):
        raise fail(Cause.NO_LOGIN, f"The jump host {host} of {where}")
    _check_characters(f"The jump host {host} of {where}", credentials)
    port = _port(f"The jump host {host} of {where}", parts.get("port", DEFAULT_PORT))
    return JumpHost(host=host, port=port, **credentials)  # type: ignore[arg-type]  # its username is a text


def _check_address(name: str, host: str) -> None:
    if (fault := address.fault_of(host)) is not None:
        raise fail(Cause.BAD_ADDRESS, name, host=host, detail=fault)


def _check_characters(where: str, texts: Mapping[str, str | None]) -> None:
    for what, text in texts.items():
        try:
            (text or "").encode()
        except UnicodeEncodeError:
            # The error holds the text, so nothing of it is shown or chained.
            raise fail(Cause.BAD_LOGIN, where, what=what.replace("_", " ")) from None


def _is_login(credentials: Mapping[str, str | None]) -> bool:
    return bool(credentials["username"]) and any(
        credentials[name] for name in ("password", "key_file", "private_key")
    )


def _text(value: Any) -> str | None:
    return None if value is None else str(value).strip() if not isinstance(value, str) else value


def _port(where: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 65536:
        raise fail(Cause.BAD_PORT, where, port=value)
    return value


def _name_of(device: Any) -> str:
    number = getattr(device, "id", None)
    name: str | None = getattr(device, "hostname", None)
    return name or (f"Device {number}" if number is not None else "The device")
