"""The configuration of FRR: how vtysh prints it, and how to change it."""

from __future__ import annotations

import re
from typing import Final

from sdk.connection.causes import Cause
from sdk.connection.changes.device import ConfirmTimer
from sdk.connection.changes.dialect import Dialect, words
from sdk.connection.changes.lines import ConfigurationLine
from sdk.connection.deadline import Deadline
from sdk.connection.errors import RefusedCommandError, fail
from sdk.connection.platforms import frr_timer
from sdk.connection.platforms.refusals import words_of
from sdk.connection.platforms.typed_configuration import TypedConfiguration

_VTYSH: Final = "vtysh"
_NEIGHBOR: Final = r"neighbor \S+ "

FRR: Final = Dialect(
    noise=re.compile(r"Building configuration\.\.\.|Current configuration ?:|frr version |frr defaults "),
    closers=re.compile(r"end|exit|exit-[a-z0-9-]+|quit"),
    single=words(
        r"hostname|domainname|description|bandwidth|link-params"
        r"|log (?:file|syslog|stdout|monitor|facility|timestamp precision)|router-id|bgp router-id|ospf router-id"
        r"|bgp (?:cluster-id|default local-preference|graceful-restart (?:restart-time|stalepath-time)|listen limit)"
        r"|timers (?:bgp|throttle spf|throttle lsa all|lsa min-arrival)|distance bgp|auto-cost reference-bandwidth"
        r"|default-metric|maximum-paths ibgp|maximum-paths"
        r"|ip ospf (?:area|cost|priority|network|hello-interval|dead-interval|retransmit-interval|transmit-delay"
        r"|authentication-key|message-digest-key \d+)"
        rf"|{_NEIGHBOR}(?:remote-as|description|password|timers connect|timers|update-source|ebgp-multihop|weight"
        r"|advertisement-interval|local-as|maximum-prefix|peer-group|port|ttl-security hops|interface"
        r")"
        r"|(neighbor \S+ (?:route-map|prefix-list|filter-list|distribute-list)) \S+ (in|out)"
        r"|set (?:metric|local-preference|weight|origin|tag|ip next-hop|community|as-path prepend|distance|src)"
        r"|match (?:ip address prefix-list|ip address|community|as-path|interface|metric|tag|peer|origin|ip next-hop)"
        r"|ip prefix-list \S+ (?:seq \d+|description)|ipv6 prefix-list \S+ (?:seq \d+|description)"
        r"|access-list \S+ seq \d+|bgp (?:community-list|as-path access-list) .*seq \d+"
        r"|on-match"
    ),
    # A port is part of the machine. A section of addresses is not shown while it is empty.
    kept=re.compile(r"interface .+|address-family .+|line vty|vrf .+"),
    hidden=re.compile(r"interface .+|address-family .+|line vty|vrf .+"),
    defaults=re.compile(
        r"bgp (?:default ipv4-unicast|network import-check|suppress-duplicates"
        r"|graceful-restart notification|log-neighbor-changes|hard-administrative-reset)"
        r"|ip forwarding|ipv6 forwarding|neighbor \S+ send-community(?: \S+)?|ipv6 nd suppress-ra"
    ),
    shortened=words(
        rf"description|{_NEIGHBOR}(?:description|password|update-source|weight|advertisement-interval)"
        r"|hostname|log timestamp precision|timers bgp"
    ),
    cascades=re.compile(r"(neighbor \S+) (?:remote-as \S+|peer-group|interface .*)$"),
)


class FrrConfiguration(TypedConfiguration):
    """Changes the configuration of FRR. A mixin of the platform, whose session it uses.

    If a shell is the login, the lines of a change go to a vtysh that is started in it. If they were arguments of a
    command, every user of the device could read them.
    """

    dialect = FRR
    shell: bool

    def enter_configuration(self, *, deadline: Deadline) -> None:
        """Enter vtysh's configuration mode. Raises `RefusedCommandError` if vtysh refuses it, for example by a lock."""
        if self.shell:
            said = self.session.send(_VTYSH, deadline=deadline).text
            if self.is_refusal(said):
                words = words_of(said, self.refusals)
                raise fail(Cause.REFUSED_COMMAND, self.where, what=_VTYSH, last_line=words)
        try:
            super().enter_configuration(deadline=deadline)
        except RefusedCommandError:
            # The next commands are for the shell.
            if self.shell:
                self.session.send("exit", deadline=deadline)
            raise

    def leave_configuration(self, *, deadline: Deadline) -> str:
        """Leave the configuration mode, and vtysh if it is not the login shell. Return the words of a refusal."""
        words = super().leave_configuration(deadline=deadline)
        if self.shell:
            self.session.send("exit", deadline=deadline)
        return words

    def why_no_timer(self) -> str | None:
        """Return why there is no timer with vtysh as the login shell: it can start no process that outlives it."""
        return (
            None
            if self.shell
            else "this login leads to vtysh, and FRR itself has no timer; a login to a shell has one"
        )

    def start_timer(
        self, seconds: float, inverse: tuple[ConfigurationLine, ...], *, deadline: Deadline
    ) -> ConfirmTimer:
        """Start a process on the device that sends `inverse` after `seconds`, then the present configuration.

        Raises:
            NoConfirmTimerError: the process can't be started.
            TimerUnknownError: the session ended before the shell said whether it was started.
        """
        directory = frr_timer.start(
            lambda line: self.session.send(line, deadline=deadline).text, seconds, inverse
        )
        if directory is None:
            detail = "its shell can't start a process that outlives the login"
            raise fail(Cause.NO_CONFIRM_TIMER, self.session.where, detail=detail)
        return ConfirmTimer(frr_timer.KIND, seconds, handle=directory)

    def cancel_timer(self, timer: ConfirmTimer, *, deadline: Deadline) -> bool:
        """Keep the change. False: the process has already taken it back."""
        return frr_timer.cancel(lambda line: self.session.send(line, deadline=deadline).text, timer.handle)
