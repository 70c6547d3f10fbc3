"""The ways in which an emulated device can misbehave, as data."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Faults:
    """A script of faults; the default is a healthy device. Commands are compared as typed, spaces collapsed.

    Attributes:
        no_banner: accept the TCP connection and never send a byte, as a hung SSH daemon does.
        no_common_kex: offer one key exchange that paramiko does not know: algorithm negotiation fails.
        auth_hang: never answer the password.
        no_prompt: open the shell, echo nothing and never show a prompt.
        command_hang: echo this command and never answer it.
        drop_mid_command: send half of this command's output, then cut the connection.
        endless_output: answer this command with lines that never end.
    """

    no_banner: bool = False
    no_common_kex: bool = False
    auth_hang: bool = False
    no_prompt: bool = False
    command_hang: str | None = None
    drop_mid_command: str | None = None
    endless_output: str | None = None
