"""Where and how to log in: from which source each part comes, and what is said where one is missing."""

import itertools
import json
import math
from ipaddress import IPv4Address
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr

from sdk.connection import Execution, Login, connect, detect_platform
from sdk.connection.errors import (
    BadAddressError,
    BadConnectionOptionsError,
    BadLoginError,
    BadPortError,
    DeviceError,
    NoAddressError,
    NoDeviceError,
    NoJumpHostError,
    NoLoginError,
)
from sdk.connection.login import JumpHost, login_of
from sdk.entities import DeviceEntity
from sdk.masking import hiding, start_learning
from supervisor.job.device_endpoints import endpoints_of
from supervisor.job.host_keys.endpoint import Endpoint

SECRET = "Trellis-Wagon-1842"


class Params(BaseModel):
    port: int = 830
    username: str | None = None
    enable_secret: SecretStr | None = None
    jump_host: str | None = None


def device(**given: Any) -> DeviceEntity:
    options = given.pop("options", None)
    values = {"id": 7, "ip": "10.0.0.1", "hostname": "r1", "username": "admin", "password": SECRET, **given}
    if options is not None:
        values["connection_options"] = options if isinstance(options, str) else json.dumps(options)
    return DeviceEntity.model_validate(values)


def test_the_device_alone_is_enough() -> None:
    login = login_of(device())
    assert (login.host, login.port, login.username, login.password) == ("10.0.0.1", 22, "admin", SECRET)
    assert login.where == "10.0.0.1 port 22"
    assert (login.jump, login.key_file, login.enable_secret) == (None, None, None)


def test_the_device_comes_before_the_parameters_and_these_before_its_options() -> None:
    options = {"username": "of-options", "port": 2022, "enable_secret": "e-options", "key_file": "/k"}
    login = login_of(device(options=options), parameters=Params(username="of-parameters", port=2022))
    assert (login.username, login.port, login.key_file) == ("admin", 2022, "/k")
    login = login_of(device(username=None, options=options), parameters={"username": "of-parameters"})
    assert login.username == "of-parameters"
    login = login_of(device(username="", options=options))
    assert (login.username, login.enable_secret) == ("of-options", "e-options")


def test_what_a_parameter_is_by_default_comes_last_and_what_a_block_says_itself_first() -> None:
    assert login_of(device(options={"port": 2022}), parameters=Params()).port == 2022
    assert login_of(device(options={"port": 2022}), parameters=Params(port=2023)).port == 2023
    assert login_of(device(), parameters=Params()).port == 830
    assert login_of(device(options={"port": 2022}), parameters=Params(port=2023), port=2024).port == 2024
    assert login_of(device(), parameters=Params(enable_secret=SecretStr("e"))).enable_secret == "e"
    assert login_of(None, host="10.0.0.9", username="u", password="p").host == "10.0.0.9"
    with pytest.raises(TypeError, match="prot"):
        login_of(device(), prot=22)


def test_a_key_takes_the_place_of_a_password() -> None:
    login = login_of(device(password=None, options={"key_file": "/etc/key", "passphrase": "pp"}))
    assert (login.password, login.key_file, login.passphrase) == (None, "/etc/key", "pp")


def test_a_jump_host_has_its_own_login_or_that_of_the_device() -> None:
    own = {"host": "10.9.0.1", "port": 2222, "username": "jump", "key_file": "/jump-key"}
    jump = login_of(device(options={"jump_host": own})).jump
    assert jump == JumpHost("10.9.0.1", "jump", 2222, key_file="/jump-key")
    for given in ("10.9.0.1", {"host": "10.9.0.1"}):
        assert login_of(device(options={"jump_host": given})).jump == JumpHost(
            "10.9.0.1", "admin", password=SECRET
        )
    assert login_of(device(), parameters=Params(jump_host="10.9.0.2")).jump == JumpHost(
        "10.9.0.2", "admin", password=SECRET
    )


@pytest.mark.parametrize(
    "own",
    [
        {"password": "secret-jump"},
        {"key_file": "/jump-key", "passphrase": "secret-jump"},
        {"private_key": "secret-jump"},
    ],
)
def test_a_jump_host_without_a_username_gets_its_own_password_or_key_and_not_the_device_s(
    own: dict[str, Any],
) -> None:
    login = login_of(device(options={"jump_host": {"host": "10.9.0.1", **own}}))
    assert login.jump == JumpHost("10.9.0.1", "admin", **own)
    assert "secret-jump" in login.secrets


class Jump(BaseModel):
    host: IPv4Address
    port: int = 22
    username: str | None = None
    password: SecretStr | None = None


class TypedParams(BaseModel):
    jump_host: Jump | None = None


def test_a_jump_host_of_a_typed_parameter_is_read_as_the_object_that_it_is() -> None:
    given = {"host": "10.9.0.1", "port": 2222, "username": "jump", "password": "secret-jump"}
    login = login_of(device(), parameters=TypedParams.model_validate({"jump_host": given}))
    assert login.jump == JumpHost("10.9.0.1", "jump", 2222, "secret-jump")
    assert "secret-jump" in login.secrets
    login = login_of(device(), parameters=TypedParams.model_validate({"jump_host": {"host": "10.9.0.1"}}))
    assert login.jump == JumpHost("10.9.0.1", "admin", password=SECRET)
    assert login_of(device(), parameters=TypedParams()).jump is None


def test_secrets_are_in_no_repr() -> None:
    secrets = {"password": "secret-a", "passphrase": "secret-b"}
    options = {"enable_secret": "secret-c", "passphrase": "secret-d"}
    jump = {"host": "10.9.0.1", "username": "jump", **secrets}
    login = login_of(device(password="secret-e", options={**options, "jump_host": jump}))
    assert login.secrets == {f"secret-{letter}" for letter in "abcde"}
    assert "secret-" not in f"{login!r} {login.jump!r} {login.jump_login!r}"


async def entered(login: Login, login_seconds: float) -> None:
    async with connect(login, platform="ios", login_seconds=login_seconds):
        pass


@pytest.mark.parametrize("detects", [False, True])
async def test_the_secrets_of_a_login_that_a_block_has_made_itself_are_hidden_once_it_connects(
    detects: bool,
) -> None:
    start_learning()
    jump = JumpHost("10.9.0.1", "jump", password="jump-1842")
    login = Login("192.0.2.1", "admin", password=SECRET, jump=jump)
    with pytest.raises(ValueError, match="login_seconds"):  # nothing is sent
        await (detect_platform(login, login_seconds=math.inf) if detects else entered(login, math.inf))
    assert hiding(frozenset())(f"with {SECRET}, then jump-1842") == "with ***, then ***"


@pytest.mark.parametrize(
    ("given", "kind", "said"),
    [
        ({"ip": None, "hostname": None}, NoAddressError, "Device 7 has neither an address nor a host name"),
        ({"username": None}, NoLoginError, "r1 (10.0.0.1) has no username"),
        ({"password": ""}, NoLoginError, "neither a password nor a key"),
        (
            {"ip": "10.0.0.1/24"},
            BadAddressError,
            "r1 can't be reached at '10.0.0.1/24': it has a prefix length",
        ),
        ({"ip": " 10.0.0.1"}, BadAddressError, "blanks"),
        ({"ip": "r1\nr2"}, BadAddressError, "control characters"),
        ({"ip": "[2001:db8::1]"}, BadAddressError, "brackets"),
        ({"ip": "10.0.0.1:2222"}, BadAddressError, "a port behind it"),
        ({"ip": "ada@10.0.0.1"}, BadAddressError, "neither an address nor the name of a host"),
        ({"ip": "r" * 254}, BadAddressError, "neither an address nor the name of a host"),
        (
            {"options": {"jump_host": "10.9.0.1/24"}},
            BadAddressError,
            "The jump host of r1 (10.0.0.1) can't be",
        ),
        ({"password": SECRET + "\ud800"}, BadLoginError, "its password holds half of a character"),
        ({"options": "{"}, BadConnectionOptionsError, "no JSON (line 1, column 2)"),
        ({"options": "[1]"}, BadConnectionOptionsError, "no JSON object"),
        ({"options": "x" * 70_000}, BadConnectionOptionsError, "more than 65536 characters"),
        ({"options": "[" * 60_000}, BadConnectionOptionsError, "no JSON that can be read"),
        ({"options": {"prot": 2222}}, BadConnectionOptionsError, "'prot', which is not known; 'port' is"),
        ({"options": {SECRET: 1}}, BadConnectionOptionsError, "a key that is not known; the known ones are"),
        ({"options": {"port": "22"}}, BadConnectionOptionsError, "port is no number from 1 to 65535"),
        ({"options": {"port": 0}}, BadConnectionOptionsError, "port is no number from 1 to 65535"),
        ({"options": {"port": True}}, BadConnectionOptionsError, "port is no number from 1 to 65535"),
        ({"options": {"password": 7}}, BadConnectionOptionsError, "password is no text"),
        (
            {"options": {"jump_host": 7}},
            BadConnectionOptionsError,
            "jump_host is neither an address nor an object",
        ),
        ({"options": {"jump_host": {"port": 22}}}, BadConnectionOptionsError, "jump_host has no host"),
        (
            {"options": {"jump_host": {"host": "j", "port": 70_000}}},
            BadConnectionOptionsError,
            "jump_host.port is no number",
        ),
        (
            {"options": {"jump_host": {"host": "j", "username": "u"}}},
            NoLoginError,
            "The jump host j of r1 (10.0.0.1) has no username, or neither",
        ),
    ],
)
def test_what_is_missing_or_wrong_is_named_and_waiting_does_not_help(
    given: dict[str, Any], kind: type[DeviceError], said: str
) -> None:
    with pytest.raises(kind) as raised:
        login_of(device(**given))
    assert said in str(raised.value)
    assert "inventory" in str(raised.value)
    assert raised.value.retryable is False
    assert SECRET not in str(raised.value)


@pytest.mark.parametrize(
    "ip", ["2001:db8::1", "fe80::1%eth0", "r1.example.net.", "r_1", "xn--rter-0ra.example", "rüter.example"]
)
def test_every_way_to_write_an_address_or_a_name_is_taken(ip: str) -> None:
    assert login_of(device(ip=ip)).host == ip


@pytest.mark.parametrize("options", [{"port": 2222}, [1], 5, True, b"{}"])
def test_connection_options_that_are_no_text_are_refused_in_words(options: object) -> None:
    one = SimpleNamespace(ip="10.0.0.1", hostname="r1", connection_options=options)
    with pytest.raises(BadConnectionOptionsError, match="they are no text"):
        login_of(one)


@pytest.mark.parametrize("given", ["10.0.0.1", {"ip": "10.0.0.1"}, [device]])
def test_what_is_no_device_is_called_by_its_type(given: object) -> None:
    with pytest.raises(TypeError, match="Give a device of the job's context"):
        login_of(given)


@pytest.mark.parametrize("needs", [Execution, ("Execution",), [Execution]])
def test_needs_that_are_no_tuple_of_capabilities_are_refused_in_words(needs: Any) -> None:
    with pytest.raises(TypeError, match="Give a tuple of capabilities"):
        connect(device(), needs=needs)


def test_a_port_that_is_none_and_a_device_that_is_none_are_refused() -> None:
    with pytest.raises(BadPortError, match="port 70000"):
        login_of(device(), parameters={"port": 70_000})
    with pytest.raises(NoDeviceError):
        login_of(None)
    with pytest.raises(NoJumpHostError):
        login_of(device(), jump_host={"port": 22})


PORTS: list[Any] = [None, 2222, 830]
JUMPS: list[Any] = [None, "10.9.0.1", "J.lab", {"host": "10.9.0.2", "port": 22022}, {"host": "10.9.0.3"}]


def test_the_worker_keeps_keys_for_just_the_endpoints_that_jobs_connect_to() -> None:
    """The rules are written twice, as neither side may import the other."""
    for ip, port, own_port, jump, own_jump in itertools.product(
        ("10.0.0.1", None), PORTS, PORTS, JUMPS, JUMPS
    ):
        options = {"port": own_port, "jump_host": own_jump}
        parameters = {
            name: value for name, value in {"port": port, "jump_host": jump}.items() if value is not None
        }
        one = device(ip=ip, hostname="R1.lab", options=options)
        login = login_of(one, parameters=parameters)
        wire = {"id": 7, "ip": ip, "hostname": "R1.lab", "connectionOptions": json.dumps(options)}
        endpoints = endpoints_of(parameters, {"devices": [wire]})
        assert Endpoint(login.host.lower(), login.port) in endpoints
        if login.jump is not None:
            assert Endpoint(login.jump.host.lower(), login.jump.port) in endpoints
