"""Plugins of authors behind the alias: what they may leave out, raise and be asked for, as with the package."""

import importlib
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from sdk.compat.finder import install_alias
from tests.programs.compat.test_compat_own_plugins import device, of

install_alias()

connections: Any = importlib.import_module("neops_worker_sdk.connection.types.base_connection")
plugins: Any = importlib.import_module("neops_worker_sdk.connection.types.connection_plugin")
Proxy: Any = importlib.import_module("neops_worker_sdk.connection.proxy").NetworkDeviceConnectionProxy


class Connection(connections.BaseConnection):  # type: ignore[misc]  # of the alias, whose types are not known here
    """One that can't be closed without an error."""

    def connect(self, **kwargs: Any) -> None:
        self._connection = object()

    def _close_raw(self, connection: object) -> None:
        raise OSError("the socket is gone")

    @property
    def is_alive(self) -> bool:
        return self._connection_or_none is not None


class Plugin(plugins.ConnectionPlugin):  # type: ignore[misc]  # as above
    """One that has a method without the interface of it, and one set to None."""

    platform = "parrot"
    connection_type = "ssh"
    connection_library = "own"
    send_command = None

    def _create_connection(self) -> Connection:
        return Connection(self.device)

    def get_information(self) -> str:
        return "a parrot"


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = of("connection.registry")
    monkeypatch.setattr(registry, "_plugins", [])
    registry.register_connection_plugin()(Plugin)


def test_an_error_while_a_connection_is_closed_does_not_hide_the_error_of_the_work(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with pytest.raises(ValueError, match="of the work"), Proxy.connect(device("parrot")) as proxy:
        raise ValueError("of the work")
    assert not proxy.plugin.is_connection_alive()
    assert "Closing the connection raised OSError: the socket is gone" in caplog.text


def test_a_connection_that_was_got_without_connecting_can_be_opened_once() -> None:
    proxy = Proxy.get_connection(device("parrot"), connect=False)
    assert not proxy.plugin.is_connection_alive()
    proxy.plugin.initialize_connection()
    assert proxy.plugin.is_connection_alive()
    with pytest.raises(of("connection.exceptions").ConnectionAlreadyInitializedError):
        proxy.plugin.initialize_connection()


def test_a_proxy_calls_whatever_the_plugin_has_and_names_what_it_has_not() -> None:
    proxy = Proxy.get_connection(device("parrot"))
    assert proxy.get_information() == "a parrot"
    for call in (lambda: proxy.send_command("hello"), proxy.reload):
        with pytest.raises(of("connection.exceptions").NotImplementedForThisPlatform):
            call()


@pytest.mark.parametrize(
    ("given", "device_type"),
    [({"platform": "vyos"}, "vyos"), ({"platform": "vyos", "device_type": "vyos_telnet"}, "vyos_telnet")],
)
def test_a_plugin_may_name_netmiko_s_platform_for_one_that_the_mapping_does_not_have(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], device_type: str
) -> None:
    class OfNetmiko(of("connection.plugins.base.netmiko_plugin").NetmikoConnection):  # type: ignore[misc]  # as above
        connect_defaults: ClassVar[dict[str, Any]] = given

    seen: list[dict[str, Any]] = []
    netmiko = importlib.import_module("netmiko")
    monkeypatch.setattr(
        netmiko, "ConnectHandler", lambda **arguments: seen.append(arguments) or SimpleNamespace()
    )
    OfNetmiko(device("parrot")).connect(port=2222)
    (arguments,) = seen
    assert (arguments["device_type"], arguments["port"]) == (device_type, 2222)
    assert "platform" not in arguments
    monkeypatch.setattr(OfNetmiko, "connect_defaults", {})
    with pytest.raises(of("connection.exceptions").PlatformNotSupportedError):
        OfNetmiko(device("parrot")).connect()
