"""What each cause of a failed session means: its text, what to do, and whether it can help to wait. Pure data.

No text of netmiko or paramiko is passed on: some of them hold sent or received data, most of them advise programmers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sdk.connection.causes import Cause


@dataclass(frozen=True, slots=True)
class Meaning:
    """The meaning of a cause. `text` comes after the device's name, and holds names of facts in braces."""

    text: str
    advice: str
    retryable: bool


_GIVE_TIME = "Check the device, or allow more time."

MEANINGS: Final[dict[Cause, Meaning]] = {
    Cause.NO_DEVICE: Meaning("is no device", "Run this block on devices.", retryable=False),
    Cause.NO_ADDRESS: Meaning(
        "has neither an address nor a host name", "Add one in the inventory.", retryable=False
    ),
    Cause.BAD_ADDRESS: Meaning(
        "can't be reached at {host!r}: {detail}", "Correct the address in the inventory.", retryable=False
    ),
    Cause.NO_LOGIN: Meaning(
        "has no username, or neither a password nor a key", "Add both in the inventory.", retryable=False
    ),
    Cause.BAD_LOGIN: Meaning(
        "can't be logged in to: its {what} holds half of a character (a lone surrogate), which can't be sent",
        "Enter it anew in the inventory.",
        retryable=False,
    ),
    Cause.BAD_PORT: Meaning(
        "can't be reached at port {port!r}: a port is a number from 1 to 65535",
        "Correct the port in the parameters of the step.",
        retryable=False,
    ),
    Cause.BAD_CONNECTION_OPTIONS: Meaning(
        "has connection options that can't be used: {detail}",
        "Correct `connection_options` of the device in the inventory.",
        retryable=False,
    ),
    Cause.NO_JUMP_HOST: Meaning(
        "is to be reached through a jump host that has no address",
        "Give `jump_host` a `host`.",
        retryable=False,
    ),
    Cause.BAD_KEY_FILE: Meaning(
        "can't be logged in to: the private key {path} can't be used: {detail}",
        "{advice}",
        retryable=False,
    ),
    Cause.NO_PLATFORM: Meaning("has no platform", "Add one in the inventory.", retryable=False),
    Cause.UNKNOWN_PLATFORM: Meaning(
        "has the platform {platform!r}, for which there is no plugin and no SSH driver of netmiko",
        "Correct the platform in the inventory.",
        retryable=False,
    ),
    Cause.NOT_SUPPORTED: Meaning(
        "is of the platform {platform}, whose plugin has no {what}",
        "Use a block that does without, or register a plugin for the platform.",
        retryable=False,
    ),
    Cause.UNKNOWN_NAME: Meaning(
        "can't be reached: its name is not known ({detail})",
        "Check the name in the inventory, and the name service of this machine.",
        retryable=True,
    ),
    Cause.UNREACHABLE: Meaning(
        "can't be reached: {detail}",
        "Check its address, the port and that its SSH service runs.",
        retryable=True,
    ),
    Cause.CONNECT_TIMEOUT: Meaning(
        "did not accept a TCP connection within {seconds:g} s",
        "Check its address, the port, and firewalls on the way.",
        retryable=True,
    ),
    Cause.NOT_SSH: Meaning(
        "answered, but not with SSH: it looks like {detail}",
        "Check the port.",
        retryable=False,
    ),
    Cause.NO_BANNER: Meaning(
        "accepted the TCP connection, but sent no SSH banner within {seconds:g} s",
        "Its SSH service hangs, or another service listens on this port.",
        retryable=True,
    ),
    Cause.ENDLESS_BANNER: Meaning(
        "sends line after line, but no SSH banner",
        "Check the port: another service listens there.",
        retryable=False,
    ),
    Cause.NO_KEY_EXCHANGE: Meaning(
        "sent its SSH banner, but did not complete the key exchange within {seconds:g} s",
        "Its SSH service hangs, or it is too slow for the limit: check the device, or allow more time.",
        retryable=True,
    ),
    Cause.NO_COMMON_ALGORITHM: Meaning(
        "and this worker have no SSH algorithm in common",
        "Enable a modern key exchange and host key on the device.",
        retryable=False,
    ),
    Cause.HOST_KEY_CHANGED: Meaning(
        "has shown another host key ({shown}) than the one that is known ({known}); no password was sent",
        "Compare the key with the device's own. If it is right, have the worker forget the old one: `supervisor "
        "host-keys forget {host}`, or correct the file of --known-hosts. If not, somebody stands between.",
        retryable=False,
    ),
    Cause.HOST_KEY_UNKNOWN: Meaning(
        "has shown a host key that is not known ({shown}); no password was sent",
        "Compare it with the device's own, and add it to the file of --known-hosts; or run the worker with "
        "`--host-keys accept-new`.",
        retryable=False,
    ),
    Cause.JUMP_HOST_FORBIDS: Meaning(
        "can't be reached through the jump host {jump}, which forwards no connections for this login",
        "Allow it there (AllowTcpForwarding, PermitOpen in sshd_config), or give another jump host.",
        retryable=False,
    ),
    Cause.WRONG_PASSWORD: Meaning(
        "refused the username or the {what}",
        "Check the credentials of the device in the inventory.",
        retryable=False,
    ),
    Cause.NO_LOGIN_METHOD: Meaning(
        "takes no {what} for a login, only: {detail}",
        "Give a login that it takes, or allow this one on the device.",
        retryable=False,
    ),
    Cause.SECOND_FACTOR: Meaning(
        "asks for a second factor, which a job can't give",
        "Use an account for automation that needs none.",
        retryable=False,
    ),
    Cause.EXPIRED_PASSWORD: Meaning(
        "says that the password has expired",
        "Change it on the device, and in the inventory.",
        retryable=False,
    ),
    Cause.LOGIN_TIMEOUT: Meaning(
        "did not answer the login within {seconds:g} s",
        "Check the server that it asks (TACACS+, RADIUS), or allow more time.",
        retryable=True,
    ),
    Cause.SESSION_LIMIT: Meaning(
        "gives no session: {detail}",
        "All its sessions may be in use. Close some, or try again later.",
        retryable=True,
    ),
    Cause.SESSIONS_TAKEN: Meaning(
        "has no session to spare: within {seconds:g} s, {what} that this worker may have there {taken} by {who}",
        "Try again later, or raise --sessions-per-device if the device has more lines.",
        retryable=True,
    ),
    Cause.BAD_COMMAND: Meaning(
        "was not sent {what}: {detail}",
        "{advice}",
        retryable=False,
    ),
    Cause.NO_PROMPT: Meaning(
        "accepted the login, but showed no prompt within {seconds:g} s", _GIVE_TIME, True
    ),
    Cause.WRONG_PLATFORM: Meaning(
        "does not look like the platform {platform}",
        "Correct the platform in the inventory.",
        retryable=False,
    ),
    Cause.FOREIGN_SHELL: Meaning(
        "does not know the command {what!r}: the login leads to the shell of an operating system, not to the "
        "command line of the platform {platform}",
        "Correct the platform in the inventory, or the login shell of the account.",
        retryable=False,
    ),
    Cause.NO_ENABLE_SECRET: Meaning(
        "asks for an enable secret, and none is known",
        "Add `enable_secret` to the device's connection options, or use an account of a higher privilege level.",
        retryable=False,
    ),
    Cause.WRONG_ENABLE_SECRET: Meaning(
        "refused the enable secret",
        "Correct `enable_secret` in the device's connection options.",
        retryable=False,
    ),
    Cause.PAGER: Meaning(
        "stopped at a pager during {what}",
        "Paging could not be turned off: turn it off on the device for this account.",
        retryable=False,
    ),
    Cause.QUESTION: Meaning(
        "asks a question during {what}",
        "Use `send_interactive` to answer it, or a form of the command that does not ask.",
        retryable=False,
    ),
    Cause.PASSWORD_ASKED: Meaning(
        "asks for a password during {what}",
        "Use `send_interactive` to answer it, or an account that is not asked.",
        retryable=False,
    ),
    Cause.REFUSED_COMMAND: Meaning(
        "refused {what!r}",
        "Check the rights of the account, and whether the device has this command.",
        retryable=False,
    ),
    Cause.UNREADABLE_ANSWER: Meaning(
        "answered {what!r} with what can't be read as data: {detail}",
        "Look at the answer with `show_command`.",
        retryable=False,
    ),
    Cause.UNEXPECTED_ANSWER: Meaning(
        "did not answer {what} with {expected!r}, but went on to its prompt",
        "Check the command and what it asks for on this device.",
        retryable=False,
    ),
    Cause.COMMAND_TIMEOUT: Meaning("did not finish {what} within {seconds:g} s", _GIVE_TIME, True),
    Cause.CONNECTION_LOST: Meaning(
        "ended the connection during {what}", "Check the device and the way to it.", True
    ),
    Cause.SESSION_ENDED: Meaning(
        "has no session any more: {detail}", "Connect anew: leave `async with` and enter another one.", True
    ),
    Cause.SESSION_LOG_FAILED: Meaning(
        "lost its session, as the function given as `session_log` raised an error: {detail}",
        "Correct the function, or what it writes to.",
        retryable=False,
    ),
    Cause.DEVICE_TIMEOUT: Meaning(
        "was not done within {seconds:g} s", "Check the device, or allow more time for each.", True
    ),
    Cause.UNEXPECTED: Meaning(
        "can't be used: {detail} was raised during {what}",
        "The traceback is in the job's log.",
        retryable=False,
    ),
    Cause.CONFIGURATION_CHANGED: Meaning(
        "was changed by somebody else after the plan was made; nothing was sent",
        "Make a new plan, and look at it again.",
        retryable=True,
    ),
    Cause.NO_CONFIRM_TIMER: Meaning(
        "can't take a change back by itself: {detail}; nothing was sent",
        "Leave out `confirm_seconds`, or use a login with which it can.",
        retryable=False,
    ),
    Cause.TIMER_UNKNOWN: Meaning(
        "did not answer whether its {timer} was started. No line was sent. If it runs, it restores the configuration "
        "of now, at {time} at the latest, also over a later change. What ended the session: {reason}",
        "Change nothing before that time, or stop it first: `{stop}`.",
        retryable=False,
    ),
    Cause.LINE_REFUSED: Meaning(
        "refused line {number} of {count}, {line!r}: {words!r}. {outcome}",
        "Correct the line.",
        retryable=False,
    ),
    Cause.CHANGE_INTERRUPTED: Meaning(
        "was lost during a change: {reached}.{after} What ended it: {reason}",
        "Look at the device, or have the step rolled back.",
        retryable=False,
    ),
    Cause.CHANGE_UNCONFIRMED: Meaning(
        "{takes_back} at {time}, as the block returned success without confirming it: {lines}{others}",
        "Write `{code}` before the block returns.",
        retryable=False,
    ),
    Cause.CONFIRMED_TOO_LATE: Meaning("{what}: {detail}", "{advice}", False),
    Cause.NOT_RESTORED: Meaning("{what} its earlier configuration back. {detail}", "{advice}", False),
    Cause.NOTHING_TO_RESTORE: Meaning(
        "has nothing to restore its configuration from: {detail}",
        "Read its configuration into `current_configuration` of the inventory first, or save it on the device.",
        retryable=False,
    ),
}
