"""Differences of configurations by the alias: what is sent makes the one into the other, and back."""

import importlib
from typing import Any

import pytest

from sdk.compat.finder import install_alias
from sdk.connection.changes.lines import are_same
from sdk.connection.changes.prediction import predict
from sdk.connection.platforms.frr_configuration import FRR
from sdk.connection.platforms.ios_configuration import IOS
from tests.programs.compat.test_compat_own_plugins import of, on_ios

install_alias()

config_diff: Any = importlib.import_module("neops_worker_sdk.connection.utils.config_diff")

ONE = """hostname r1
!
interface Loopback0
 ip address 192.0.2.1 255.255.255.255
!
interface GigabitEthernet0/1
 description one
 ip address 10.0.0.1 255.255.255.0
 shutdown
!
router bgp 65001
 neighbor 10.0.0.2 remote-as 65002
 address-family ipv4
  network 10.0.0.0
  network 10.0.1.0
!
ip access-list extended GUARD
 permit ip any host 10.0.0.1
 permit ip any host 10.0.0.2
 deny ip any any
!
ntp server 192.0.2.9
end
"""
OTHER = """hostname r9
!
interface GigabitEthernet0/1
 ip address 10.0.9.1 255.255.255.0
 no ip redirects
!
interface Loopback7
 description seven
!
router bgp 65001
 neighbor 10.0.0.2 remote-as 65002
 address-family ipv4
  network 10.0.1.0
  network 10.0.2.0
!
ip access-list extended GUARD
 permit ip any host 10.0.0.1
 deny ip any any
!
end
"""
FRR_ONE = """frr version 10.3
hostname r1
!
interface eth1
 description one
 ip address 10.0.0.1/24
 ip ospf area 0
exit
!
router bgp 65001
 neighbor 10.0.0.2 remote-as 65002
 !
 address-family ipv4 unicast
  network 10.0.0.0/24
 exit-address-family
exit
!
ip prefix-list GUARD seq 5 permit 10.0.0.0/8
end
"""
FRR_OTHER = """frr version 10.3
hostname r9
!
interface eth1
 ip address 10.0.9.1/24
 ip ospf area 0
 ip ospf cost 7
exit
!
router bgp 65001
 neighbor 10.0.0.2 remote-as 65002
 neighbor 10.0.0.3 remote-as 65003
 !
 address-family ipv4 unicast
  network 10.0.9.0/24
 exit-address-family
exit
end
"""


@pytest.mark.parametrize(
    ("platform", "dialect", "one", "other"), [("ios", IOS, ONE, OTHER), ("frr", FRR, FRR_ONE, FRR_OTHER)]
)
def test_the_lines_of_a_delta_lead_from_one_configuration_to_the_other_and_back(
    platform: str, dialect: Any, one: str, other: str
) -> None:
    delta = config_diff.get_config_delta(platform, one, other)
    before, after = dialect.read(one), dialect.read(other)
    for start, sent, end in ((before, delta.rollout, after), (after, delta.rollback, before)):
        assert are_same(predict(start, dialect.read_lines(sent.splitlines()), dialect), end)


async def test_a_delta_can_be_sent_to_a_device_as_it_stands() -> None:
    def sent(proxy: Any) -> tuple[str, str]:
        before = proxy.get_config().running
        wanted = before.replace("hostname r1", "hostname r9").replace(
            "end\n", "interface Loopback7\n description seven\n no ip address\nend\n"
        )
        delta = config_diff.get_config_delta("ios", before, wanted)
        proxy.merge_config(delta.rollout)
        reached = proxy.get_config().running
        proxy.merge_config(delta.rollback)
        left = proxy.get_config().running
        return (
            config_diff.get_config_unified_diff("ios", reached, wanted),
            config_diff.get_config_unified_diff("ios", left, before),
        )

    assert await on_ios(sent) == ("", "")


def test_a_diff_shows_what_goes_and_comes_below_the_headers_of_its_sections() -> None:
    diff = config_diff.get_config_unified_diff("ios", ONE, OTHER)
    assert (
        "interface GigabitEthernet0/1\n  - description one\n  - ip address 10.0.0.1 255.255.255.0\n" in diff
    )
    assert "router bgp 65001\n  address-family ipv4\n    - network 10.0.0.0\n    + network 10.0.2.0" in diff
    assert "remote-as" not in diff


def test_hashes_of_passwords_are_no_difference_once_they_are_normalized() -> None:
    text = "username ada privilege 15 secret 9 $9${}\nenable secret 5 $1${}\nsnmp-server community x {}\n"
    one, other = (config_diff.normalize_secrets(text.format(*each)) for each in ("abc", "xyz"))
    assert config_diff.get_config_unified_diff("ios", one, other).count("\n") == 1
    assert "username ada privilege 15 secret 9 <HASH>\nenable secret 5 <HASH>" in one


@pytest.mark.parametrize("name", ["tag_rules", "include_tags", "exclude_tags"])
def test_tags_are_refused_with_what_to_do(name: str) -> None:
    error = of("connection.exceptions").NeopsConnectionError
    for compare in (config_diff.get_config_delta, config_diff.get_config_unified_diff):
        with pytest.raises(error, match="install neops_worker_sdk beside this worker"):
            compare("ios", ONE, OTHER, **{name: ("x",)})
