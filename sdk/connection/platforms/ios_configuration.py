"""The configuration of IOS and IOS-XE: how to read `show running-config`, and how to change it."""

from __future__ import annotations

import re
from typing import Final

from sdk.connection.changes.device import ConfirmTimer
from sdk.connection.changes.dialect import Dialect, words
from sdk.connection.changes.lines import ConfigurationLine
from sdk.connection.deadline import Deadline
from sdk.connection.platforms import ios_banner, ios_questions, ios_timer
from sdk.connection.platforms.typed_configuration import TypedConfiguration

_NEIGHBOR: Final = r"neighbor \S+ "

IOS: Final = Dialect(
    # The device measures `ntp clock-period` again and again. A release has a dot: `version 2` of `router rip` is a
    # command.
    noise=re.compile(
        r"Building configuration\.\.\.|Current configuration ?: \d+|Using \d+ out of \d+ bytes|version \d+\.\d"
        r"|Last configuration change at|NVRAM config last updated|No configuration change since|ntp clock-period"
        r"|: Saved|Load for five secs|Time source is|No time source|Uncompressed configuration from \d"
        # Said of a timer, to all sessions and at any moment.
        r'|Rollback Confirmed Change:|Enter "configure confirm" if you wish|\*\*\*( |$)'
    ),
    closers=re.compile(r"end|exit|quit|exit-[a-z-]+"),
    single=words(
        r"hostname|version|description|bandwidth|delay|mtu|ip mtu|speed|duplex|load-interval|encapsulation|name"
        r"|ip address(?!.* secondary$)|ip default-gateway|ip domain[ -]name|ip ssh version|enable (?:secret|password)"
        r"|(ip access-group) \S+ (in|out)|router-id|bgp router-id|clock timezone|ntp source"
        r"|logging (?:buffered|console|monitor|trap|facility|source-interface)"
        r"|snmp-server (?:location|contact|chassis-id)|username \S+"
        r"|banner (?:motd|login|exec|incoming|prompt-timeout|slip-ppp)"
        r"|vrf forwarding|ip vrf forwarding|spanning-tree mode|channel-group"
        r"|switchport (?:mode|access vlan|trunk native vlan|trunk allowed vlan|voice vlan)"
        r"|ip ospf (?:cost|priority|network|hello-interval|dead-interval|authentication-key|message-digest-key \d+)"
        r"|ip ospf \d+ area|standby \d+ (?:ip|priority|timers|authentication)"
        r"|exec-timeout|session-timeout|transport (?:input|output)"
        rf"|{_NEIGHBOR}(?:remote-as|description|password|timers|update-source|ebgp-multihop|weight|local-as"
        r"|maximum-prefix|advertisement-interval)|(neighbor \S+ (?:route-map|prefix-list)) \S+ (in|out)"
        r"|ip prefix-list \S+ seq \d+|match (?:ip address|community|as-path|interface|metric|tag)"
        r"|set (?:metric|local-preference|weight|origin|tag|ip next-hop|community|as-path prepend)"
    ),
    kept=re.compile(
        r"interface (?!Loopback|Vlan|Tunnel|Port-channel|BDI|BVI|Dialer|Multilink|nve|pseudowire|Virtual-Template"
        r"|VirtualPortGroup|\S+\.\d).+|line .+|control-plane.*"
    ),
    ordered=re.compile(r"ip access-list (?:standard|extended) .+|ipv6 access-list .+|mac access-list .+"),
    defaults=re.compile(
        r"ip domain[ -]lookup|ip http server|ip http secure-server|ip routing|ip cef|ip redirects|ip proxy-arp"
        r"|ip unreachables|ip classless|cdp enable|lldp (?:transmit|receive)|keepalive|switchport|auto-summary"
        r"|bgp default ipv4-unicast|mop enabled|ip route-cache|service pad|service config|logging console"
        r"|snmp trap link-status"
    ),
    negative=words(r"ip address(?!.* secondary$)"),
    shortened=words(
        rf"description|hostname|ip address(?!.* secondary$)|{_NEIGHBOR}description|snmp-server (?:location|contact)"
        r"|banner (?:motd|login|exec|incoming|prompt-timeout|slip-ppp)"
    ),
    cascades=re.compile(r"(neighbor \S+(?= (?:remote-as \S+|peer-group)$)|access-list \d+(?= ))"),
    entries=(
        (re.compile(r"(access-list ([1-9]\d?|1[3-9]\d\d)) (.+)"), "ip access-list standard {}"),
        (re.compile(r"(access-list (1\d\d|2[0-6]\d\d)) (.+)"), "ip access-list extended {}"),
    ),
    # IOS shows the sign that it has got as `^C`, which are two characters.
    blocks=re.compile(r"banner (?:motd|login|exec|incoming|prompt-timeout|slip-ppp) (\^C|\S)"),
    block_sign="^C",
    unsendable=words(r"crypto pki certificate chain|certificate(?: self-signed| ca| rollover)? [0-9A-F]+"),
    stored_apart=re.compile(r"(certificate(?: self-signed| ca| rollover)? [0-9A-F]+)(?: nvram:\S+)?"),
)


class IosConfiguration(TypedConfiguration):
    """Changes the configuration of IOS. A mixin of the platform, whose session it uses."""

    dialect = IOS

    def _type(self, text: str, deadline: Deadline) -> str:
        block = IOS.block(text)
        if block is None:
            return super()._type(text, deadline)
        lines = ios_banner.typed_lines(*block)
        if lines is None:
            return "every sign that could end its text is in it"
        return ios_banner.type_lines(self.session, lines, deadline)

    def _send(self, text: str, deadline: Deadline) -> str:
        return ios_questions.send_line(self.session, text, deadline)

    def why_no_timer(self) -> str | None:
        """Return None: whether this device has a timer shows when it is started, before the first line."""
        return None

    def start_timer(
        self, seconds: float, inverse: tuple[ConfigurationLine, ...], *, deadline: Deadline
    ) -> ConfirmTimer:
        """Make IOS restore its configuration after `seconds`, rounded up to minutes."""
        del inverse  # IOS keeps the configuration itself
        return ios_timer.start(self, seconds, deadline)

    def cancel_timer(self, timer: ConfirmTimer, *, deadline: Deadline) -> bool:
        """Keep the change. False: the timer has already run out. Raises `RefusedCommandError`: the timer goes on."""
        return ios_timer.cancel(self, timer, deadline)
