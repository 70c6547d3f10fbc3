"""Who speaks to a platform: an author's class before one of the SDK, and netmiko for all others."""

import logging
from collections.abc import Callable
from importlib.metadata import EntryPoint

import pytest

from sdk.connection.errors import UnknownPlatformError
from sdk.connection.platforms.frr import Frr
from sdk.connection.platforms.generic import Generic
from sdk.connection.platforms.ios import Ios, IosXe
from sdk.connection.platforms.linux import Linux
from sdk.connection.platforms.platform import Platform
from sdk.connection.platforms.registration import Registry
from sdk.connection.platforms.registry import known_platforms, platform_of
from sdk.errors import RegistrationError


class Mine(Platform):
    netmiko_type = "cisco_ios"


class Yours(Platform):
    netmiko_type = "cisco_ios"


@pytest.fixture
def registry() -> Registry:
    return Registry(plugins=list)


@pytest.mark.parametrize(
    ("name", "platform"),
    [("ios", Ios), (" IOS ", Ios), ("iosxe", IosXe), ("cisco_xe", IosXe), ("frr", Frr), ("linux", Linux)],
)
def test_names_of_the_inventory_lead_to_a_class(name: str, platform: type[Platform]) -> None:
    assert platform_of(name) is platform
    assert {"ios", "iosxe", "frr", "linux"} <= set(known_platforms())


@pytest.mark.parametrize(
    ("name", "netmiko_type"), [("eos", "arista_eos"), ("arista_eos", "arista_eos"), ("vrp", "huawei")]
)
def test_every_ssh_driver_of_netmiko_is_a_platform(name: str, netmiko_type: str) -> None:
    platform = platform_of(name)

    assert issubclass(platform, Generic)
    assert (platform.name, platform.netmiko_type) == (name, netmiko_type)
    assert platform_of(name) is platform  # a connection that was kept is found by its class


@pytest.mark.parametrize("name", ["", "nonsense", "cisco_ios_telnet", "cisco_ios_serial", "autodetect"])
def test_what_nobody_speaks_by_ssh_is_an_error_that_names_it(name: str) -> None:
    with pytest.raises(UnknownPlatformError) as caught:
        platform_of(name, "192.0.2.1 port 22")
    assert repr(name) in str(caught.value)
    assert not caught.value.retryable


@pytest.mark.parametrize("order", [[Ios, Mine], [Mine, Ios]])
def test_an_author_takes_the_place_of_a_class_of_the_sdk(
    registry: Registry, order: list[type[Platform]]
) -> None:
    for platform in order:
        registry.add(("ios",), platform)

    assert registry.find("ios") is Mine


def test_two_authors_can_not_have_the_same_name(registry: Registry) -> None:
    registry.add(("acme",), Mine)
    registry.add(("acme",), Mine)  # a module that is imported anew

    with pytest.raises(RegistrationError, match=r"Mine is registered for the platform 'acme' already"):
        registry.add(("ACME",), Yours)


@pytest.mark.parametrize("names", [(), ("",)])
def test_a_class_without_a_name_is_refused(registry: Registry, names: tuple[str, ...]) -> None:
    with pytest.raises(RegistrationError, match="without a name"):
        registry.add(names, Mine)


class _Plugin(EntryPoint):
    """An entry point that runs a function in place of an import."""

    loads: Callable[[], object]

    def load(self) -> object:
        return type(self).loads()


def test_entry_points_are_loaded_once_and_a_broken_one_harms_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    loaded: list[str] = []

    class Broken(_Plugin):
        @staticmethod
        def loads() -> object:
            raise ImportError("no such module")

    class Sound(_Plugin):
        @staticmethod
        def loads() -> object:
            loaded.append("sound")
            registry.add(("acme",), Mine)
            return None

    plugins: list[EntryPoint] = [
        Broken("bad", "bad_package", "neops.platforms"),
        Sound("good", "good_package", "neops.platforms"),
    ]
    registry = Registry(plugins=lambda: plugins)

    with caplog.at_level(logging.ERROR):
        assert registry.find("acme") is Mine
        assert registry.find("acme") is Mine

    assert loaded == ["sound"]
    assert "'bad' (bad_package)" in caplog.text
