"""How configurations of IOS and FRR are read, foretold and taken back."""

import pytest

from sdk.connection.changes.dialect import Dialect
from sdk.connection.changes.difference import difference
from sdk.connection.changes.lines import are_same, paths_of, text_of
from sdk.connection.changes.plan import plan_lines
from sdk.connection.changes.prediction import predict
from sdk.connection.changes.secrecy import without_secrets
from sdk.connection.platforms.frr_configuration import FRR
from sdk.connection.platforms.ios_configuration import IOS
from sdk.connection.platforms.typed_configuration import refusal_in
from tests.programs.lab.changes import CHANGES, FrrChange

IOS_CONFIG = """Building configuration...

Current configuration : 1234 bytes
!
! Last configuration change at 11:32:01 UTC Tue Jan 3 2023 by admin
! NVRAM config last updated at 11:32:01 UTC Tue Jan 3 2023
version 15.9
hostname lab1
!
banner motd ^C
interface Gi0/9 is no interface here
 no password here
^C
!
interface GigabitEthernet0/1
 description uplink
 ip address 198.51.100.1 255.255.255.252
!
interface GigabitEthernet0/2
 no ip address
 shutdown
!
interface Loopback7
 ip address 203.0.113.7 255.255.255.255
!
router bgp 65001
 bgp log-neighbor-changes
 neighbor 198.51.100.2 remote-as 65002
 neighbor 198.51.100.2 description peer
 !
 address-family ipv4
  neighbor 198.51.100.2 activate
 exit-address-family
!
ip access-list extended IN
 permit tcp any any eq 22
 deny ip any any
!
ntp clock-period 17180000
end
"""

FRR_CONFIG = """Building configuration...

Current configuration:
!
frr version 10.3
frr defaults datacenter
hostname r2
!
ip route 172.16.2.0/24 blackhole
!
interface eth1
 description to r1 eth1
 ip address 10.0.12.2/30
 ip ospf area 0
 ip ospf dead-interval 4
 ip ospf hello-interval 1
exit
!
interface eth2
 ip address 10.0.23.1/30
 ip ospf area 0
exit
!
router bgp 65002
 neighbor 10.0.12.1 remote-as 65001
 neighbor 10.0.12.1 description r1
 neighbor 10.0.23.2 remote-as 65003
 neighbor 10.0.23.2 timers connect 1
 !
 address-family ipv4 unicast
  network 172.16.2.0/24
 exit-address-family
exit
!
router ospf
 ospf router-id 10.255.0.2
exit
!
end
"""


def _sent(before: str, after: str, dialect: Dialect) -> list[str]:
    return [str(line) for line in difference(dialect.read(before), dialect.read(after), dialect)]


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ("Current configuration : 1234 bytes", "Current configuration : 77 bytes"),
        ("11:32:01 UTC Tue Jan 3 2023 by admin", "12:00:00 UTC Wed Jan 4 2023 by other"),
        ("ntp clock-period 17180000", "ntp clock-period 17180011"),
        ("version 15.9", "version 17.03"),
        ("Building configuration...\n\n", ""),
    ],
)
def test_what_ios_changes_by_itself_is_no_difference(here: str, there: str) -> None:
    assert here in IOS_CONFIG
    assert IOS.read(IOS_CONFIG.replace(here, there)) == IOS.read(IOS_CONFIG)


def test_the_version_of_a_routing_protocol_is_sent_and_given_back_and_is_not_that_of_ios() -> None:
    rip = "router rip\n version 2\n network 10.0.0.0"
    assert [str(line) for line in plan_lines(IOS_CONFIG, rip, IOS).commands] == [
        "router rip",
        "router rip / version 2",
        "router rip / network 10.0.0.0",
    ]
    assert IOS.read_typed(rip.splitlines()) == ["router rip", "version 2", "network 10.0.0.0"]
    with_rip = IOS_CONFIG.replace("ip access-list", f"{rip}\n!\nip access-list")
    assert "router rip / version 2" in _sent(IOS_CONFIG, with_rip, IOS)
    first = plan_lines(with_rip, "router rip\n version 1", IOS)
    assert [str(line) for line in difference(first.predicted, first.base, IOS)] == ["router rip / version 2"]


def test_the_version_of_frr_is_no_difference() -> None:
    assert FRR.read(FRR_CONFIG.replace("frr version 10.3", "frr version 10.4")) == FRR.read(FRR_CONFIG)
    assert FRR.read(
        FRR_CONFIG.replace("Building configuration...\n\nCurrent configuration:\n", "")
    ) == FRR.read(FRR_CONFIG)


def test_a_text_of_several_lines_is_one_line_and_no_command() -> None:
    banner = next(line for line in IOS.read(IOS_CONFIG) if line.text.startswith("banner"))
    assert banner.text.splitlines()[1:3] == ["interface Gi0/9 is no interface here", " no password here"]
    assert banner.children == ()


@pytest.mark.parametrize(("config", "dialect"), [(IOS_CONFIG, IOS), (FRR_CONFIG, FRR)])
def test_a_printed_tree_is_read_as_the_same_tree(config: str, dialect: Dialect) -> None:
    tree = dialect.read(config)
    assert dialect.read(text_of(tree)) == tree
    assert any(line.parents for line in paths_of(tree))


@pytest.mark.parametrize(
    "change", [change for change in CHANGES if change.is_shown], ids=lambda change: change.name
)
def test_lines_on_frr_are_foretold_and_the_inverse_takes_them_back(change: FrrChange) -> None:
    base = FRR.read(FRR_CONFIG)
    plan = plan_lines(FRR_CONFIG, change.lines, FRR)
    assert plan.diff, "the lines do something"
    inverse = difference(plan.predicted, base, FRR)
    back = plan.predicted
    for line in inverse:
        tree = plan_tree(line.text, line.parents)
        back = predict(back, FRR.read_lines(tree), FRR)
    assert are_same(back, base)


def plan_tree(text: str, parents: tuple[str, ...]) -> list[str]:
    return [f"{' ' * depth}{line}" for depth, line in enumerate((*parents, text))]


def test_a_neighbor_of_bgp_takes_its_lines_with_it_also_in_address_families_but_not_elsewhere() -> None:
    config = FRR_CONFIG.replace("  network", "  neighbor 10.0.12.1 route-map X in\n  network")
    plan = plan_lines(config, "router bgp 65002\n no neighbor 10.0.12.1 remote-as 65001", FRR)
    gone = [line[1:].strip() for line in plan.diff.splitlines() if line.startswith("- ")]
    assert gone == [
        "neighbor 10.0.12.1 remote-as 65001",
        "neighbor 10.0.12.1 description r1",
        "neighbor 10.0.12.1 route-map X in",
    ]


def test_an_address_on_ios_replaces_the_other_and_leaves_a_no_behind() -> None:
    gone = plan_lines(IOS_CONFIG, "interface GigabitEthernet0/1\n no ip address", IOS)
    assert "+ no ip address" in gone.diff
    assert [str(line) for line in difference(gone.predicted, gone.base, IOS)] == [
        "interface GigabitEthernet0/1 / ip address 198.51.100.1 255.255.255.252"
    ]
    new = plan_lines(IOS_CONFIG, "interface GigabitEthernet0/2\n ip address 192.0.2.1 255.255.255.0", IOS)
    assert "- no ip address" in new.diff
    assert [str(line) for line in difference(new.predicted, new.base, IOS)] == [
        "interface GigabitEthernet0/2 / no ip address"
    ]


def test_what_ios_says_of_a_timer_in_the_middle_of_its_configuration_is_no_line_of_it() -> None:
    said = (
        "Rollback Confirmed Change: Rollback will begin in one minute.\n"
        'Enter "configure confirm" if you wish to keep what you\'ve configured\n'
        "\n\n***\n*** --- SHUTDOWN in 0:01:00 ---\n***\n"
    )
    assert IOS.read(IOS_CONFIG.replace("hostname lab1\n", f"hostname lab1\n{said}")) == IOS.read(IOS_CONFIG)


def test_a_port_of_ios_is_never_removed_but_a_loopback_is() -> None:
    without = IOS_CONFIG.replace(
        "interface Loopback7\n ip address 203.0.113.7 255.255.255.255\n", ""
    ).replace(
        "interface GigabitEthernet0/1\n description uplink\n ip address 198.51.100.1 255.255.255.252\n", ""
    )
    assert _sent(IOS_CONFIG, without, IOS) == [
        "no interface Loopback7",
        "interface GigabitEthernet0/1 / no ip address",
        "interface GigabitEthernet0/1 / no description",
    ]


@pytest.mark.parametrize(
    "name", ["GigabitEthernet0/1.7", "BVI1", "Multilink1", "nve1", "pseudowire1", "VirtualPortGroup0"]
)
def test_an_interface_without_a_plug_is_removed_with_the_change_that_has_made_it(name: str) -> None:
    assert _sent(f"{IOS_CONFIG}interface {name}\n description x\n", IOS_CONFIG, IOS) == [
        f"no interface {name}"
    ]


def test_the_lines_of_an_access_list_of_ios_keep_their_order() -> None:
    other = IOS_CONFIG.replace(
        " permit tcp any any eq 22\n", " permit icmp any any\n permit tcp any any eq 22\n"
    )
    assert _sent(other, IOS_CONFIG, IOS) == [
        "ip access-list extended IN / no deny ip any any",
        "ip access-list extended IN / no permit tcp any any eq 22",
        "ip access-list extended IN / no permit icmp any any",
        "ip access-list extended IN / permit tcp any any eq 22",
        "ip access-list extended IN / deny ip any any",
    ]


def test_of_an_access_list_whose_lines_have_numbers_only_what_differs_is_sent() -> None:
    numbered = IOS_CONFIG.replace(
        " permit tcp any any eq 22\n deny ip any any\n", " 10 permit tcp any any eq 22\n 20 deny ip any any\n"
    )
    other = numbered.replace(
        " 10 permit tcp any any eq 22\n", " 5 permit icmp any any\n 10 permit tcp any any eq 23\n"
    )
    assert _sent(other, numbered, IOS) == [
        "ip access-list extended IN / no 10 permit tcp any any eq 23",
        "ip access-list extended IN / no 5 permit icmp any any",
        "ip access-list extended IN / 10 permit tcp any any eq 22",
    ]


ENTRY = "access-list 101 permit tcp any any eq 22\n"
NUMBERED_LIST = f"{IOS_CONFIG}{ENTRY}access-list 101 deny ip any any\naccess-list 7 permit 192.0.2.1\n"


@pytest.mark.parametrize(
    ("entry", "line"),
    [
        ("access-list 101 permit icmp any any", "ip access-list extended 101 / no permit icmp any any"),
        ("access-list 101 remark x", "ip access-list extended 101 / no remark x"),
        ("access-list 7 permit 192.0.2.7", "ip access-list standard 7 / no permit 192.0.2.7"),
        ("access-list 1300 permit any", "no access-list 1300"),
    ],
)
def test_a_line_of_a_numbered_list_is_removed_without_the_rest_of_its_list(entry: str, line: str) -> None:
    assert _sent(f"{NUMBERED_LIST}{entry}\n", NUMBERED_LIST, IOS) == [line]


def test_a_numbered_access_list_of_which_nothing_stays_is_removed_at_once() -> None:
    assert _sent(NUMBERED_LIST, IOS_CONFIG, IOS) == ["no access-list 7", "no access-list 101"]


def test_it_is_foretold_that_ios_removes_the_whole_numbered_list_with_one_of_its_lines() -> None:
    plan = plan_lines(NUMBERED_LIST, f"no {ENTRY}{ENTRY}no access-list 7 permit 192.0.2.1", IOS)
    assert are_same(plan.predicted, IOS.read(f"{IOS_CONFIG}{ENTRY}"))
    assert len(plan.commands) == 3


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (" neighbor 10.0.12.1 password hunter2", " neighbor 10.0.12.1 password ***"),
        ("snmp-server community hunter2 RO", "snmp-server community *** RO"),
        ("username bob privilege 15 secret 9 $9$hunter2", "username bob privilege 15 secret 9 ***"),
        ("enable secret hunter2", "enable secret ***"),
        (" ip ospf message-digest-key 1 md5 hunter2", " ip ospf message-digest-key 1 md5 ***"),
        (" key-string 7 hunter2", " key-string 7 ***"),
        ("crypto isakmp key hunter2 address 192.0.2.1", "crypto isakmp key *** address 192.0.2.1"),
        ("ntp authentication-key 1 md5 hunter2 7", "ntp authentication-key 1 md5 *** 7"),
        (
            " standby 1 authentication md5 key-string 7 hunter2",
            " standby 1 authentication md5 key-string 7 ***",
        ),
        ("enable secret level 5 0 hunter2", "enable secret level 5 0 ***"),
        ("tacacs server T / key 7 hunter2", "tacacs server T / key 7 ***"),
        ("+ key hunter2", "+ key ***"),
        ("-  key 7 0812", "-  key 7 ***"),
        (
            "  pre-shared-key address 192.0.2.1 255.255.255.0 key hunter2",
            "  pre-shared-key address 192.0.2.1 255.255.255.0 key ***",
        ),
        ("  pre-shared-key hostname hub key 6 hunter2", "  pre-shared-key hostname hub key 6 ***"),
        ("  pre-shared-key local 6 hunter2", "  pre-shared-key local 6 ***"),
        (
            "snmp-server host 192.0.2.1 vrf M traps version 2c hunter2 bgp",
            "snmp-server host 192.0.2.1 vrf M traps version 2c *** bgp",
        ),
        ("snmp-server host 192.0.2.1 hunter2", "snmp-server host 192.0.2.1 ***"),
        (
            "snmp-server user u g v3 auth sha hunter2 priv aes 128 hunter3",
            "snmp-server user u g v3 auth sha *** priv aes 128 ***",
        ),
        ("key config-key password-encrypt hunter2", "key config-key password-encrypt ***"),
        (" key 1", " key 1"),
        (" key chain EIGRP", " key chain EIGRP"),
        (" authentication mode md5", " authentication mode md5"),
        (" authentication md5 key-chain EIGRP", " authentication md5 key-chain EIGRP"),
        (" set community 65001:100", " set community 65001:100"),
        ("service password-encryption", "service password-encryption"),
    ],
)
def test_secrets_in_lines_are_hidden_from_people(line: str, shown: str) -> None:
    assert without_secrets(line) == shown


@pytest.mark.parametrize(
    "answer",
    [
        'Command rejected: An interface whose trunk encapsulation is "Auto" can not be configured to "trunk" mode.',
        "Bad mask /24 for address 192.0.2.0",
        "Access-list type conflicts with prior definition",
        "Entry already running and cannot be modified\n\t(only can delete (no) and start over)",
        "% Invalid input detected at '^' marker.",
        "% Interface GigabitEthernet0/1 is not there",
        "VTP VLAN configuration not allowed when device is in CLIENT mode.",
        "BGP is already running; AS is 65001",
        "% Access VLAN does not exist. Creating vlan 30\n% Invalid input detected at '^' marker.",
        "% Cannot enable both sham-link state-change interface traps.\n"
        "% Deprecated sham link interface trap not enabled.",
        "% OSPF: Backbone can not be configured as stub area",
    ],
)
def test_a_refusal_is_one_also_where_ios_writes_no_percent_sign(answer: str) -> None:
    assert refusal_in(f"\n{answer}\n")


@pytest.mark.parametrize(
    "answer",
    [
        "% Interface GigabitEthernet0/1 IPv4 disabled and address(es) removed due to enabling VRF CUST",
        "% Interface GigabitEthernet0/1 IPv6 disabled and address(es) removed due to disabling VRF CUST",
        "Interface Ethernet4 IP disabled and address(es) removed due to unbinding VRF.",
        "% Not all config may be removed and may reappear after reactivating the sub-interface",
        "%Not all config may be removed and may reappear after reactivating the sub-interface",
        "% Access VLAN does not exist. Creating vlan 30",
        "% IPv4 and IPv6 addresses from all interfaces in VRF RED have been removed",
        "% IPv4 addresses from all interfaces in VRF RED have been removed",
        "% OSPF: Reference bandwidth is changed.\n"
        "        Please ensure reference bandwidth is consistent across all routers.",
        "% Only classful networks will be redistributed",
        "% Applying VLAN changes may take few minutes.  Please wait...",
        "% Interface FastEthernet0/1 IP address 192.0.2.1 removed due to enabling VRF CUST",
        "% A profile is deemed incomplete until it has match identity statements",
        "% OSPF will not operate on this interface until IP is configured on it",
        "% use 'write' command to make license boot config take effect on next boot",
        '% OSPF: Reload or use "clear ip ospf process" command, for this to take effect',
        "%Default route without gateway, if not a point-to-point interface, may impact performance",
        "%Warning: portfast should only be enabled on ports connected to a single host.\n\n"
        "%Portfast will be configured in 2 interfaces due to the range command\n"
        " but will only have effect when the interfaces are in a non-trunking mode.",
        "%No specific protocol configured in class INSIDE for inspection. All protocols will be inspected",
        "% Cannot enable both sham-link state-change interface traps.\n"
        "% New sham link interface trap not enabled.",
        "% Login disabled on line 2, until 'password' is set\n% Login disabled on line 3, until 'password' is set",
        "%LINK-5-CHANGED: Interface GigabitEthernet0/1, changed state to up",
        "%LINEPROTO-SP-5-UPDOWN: Line protocol on Interface GigabitEthernet1/1, changed state to up",
        "%OIR-SW1_SP-STDBY-6-INSCARD: Card inserted in slot 1, interfaces are now online",
    ],
)
def test_what_a_device_says_of_a_line_that_it_took_is_no_refusal(answer: str) -> None:
    assert not refusal_in(f"\n{answer}\n")
