"""The ways in which an emulated device can misbehave, as data."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Faults:
    """A script of faults; the default is a healthy device. Commands are compared as typed, with single spaces.

    You may exchange faults of a session while the device runs (`EmulatedIos.faults`): they count from the next
    command on. Faults of the connection count from the start of the device.

    Instead of an SSH service:

    Attributes:
        no_banner: accept the TCP connection and never send a byte, like an SSH daemon that hangs.
        http_service: answer like a web server.
        telnet_service: answer like a telnet server, with a login prompt.
        endless_banner: send lines before the SSH banner, for ever.
        no_key_exchange: send the SSH banner and nothing more.
        no_common_kex: offer one key exchange that paramiko does not know: algorithm negotiation fails.
        sha1_only: offer only algorithms that need SHA-1, like old devices. Works with paramiko 4.
        session_limit: more connections than this are cut at once.
        refuses_in_words: say "Exceeded MaxStartups" and end the connection, like OpenSSH.
        no_channel: accept the login, but open no session.
        auth_hang: never answer the password.
        login_seconds: answer the password so many seconds late.
        keyboard_interactive_only: accept the password only as the answer to a question (works).
        second_factor: ask for a code after the password, which nobody has.
        password_expired: accept the password and demand a new one, in the words of the SSH protocol.
        expired_in_shell: the same, but demanded in place of the prompt.
        no_prompt: open the shell, echo nothing and never show a prompt.
        bash_shell: a Linux shell in place of the device's command line.
        login_banner: text that is printed between the login and the prompt.
        pager_stays_on: accept `terminal length 0` and still page.
        command_hang: echo this command and never answer it.
        question_at: answer this command with a question.
        changed_prompt_at: from this command on, the prompt is different.
        drop_mid_command: send half of this command's output, then cut the connection.
        endless_output: answer this command with lines that never end.
        large_output: answer this command with `large_output_bytes` of lines.
        new_host_key_at: at this command the device gets another host key, for later connections.
        half_open_at: at this command the link goes silent in both directions, and nobody ends the connection.
        stops_reading_at: from this command on, the device reads nothing more from the network.
        pause_in: pause inside the output of this command, before byte `pause_at_byte` of what follows the echo (its
            output, then the prompt), for `pause_seconds`.
        outputs: answers of your own, by command.
        behind_prompt: text after the prompt that follows a command, by command; no new prompt follows it.
        management_interface: the interface that leads to the device: while it is shut down, the link is silent.
    """

    no_banner: bool = False
    http_service: bool = False
    telnet_service: bool = False
    endless_banner: bool = False
    no_key_exchange: bool = False
    no_common_kex: bool = False
    sha1_only: bool = False
    session_limit: int | None = None
    refuses_in_words: bool = False
    no_channel: bool = False
    auth_hang: bool = False
    login_seconds: float = 0.0
    keyboard_interactive_only: bool = False
    second_factor: bool = False
    password_expired: bool = False
    expired_in_shell: bool = False
    no_prompt: bool = False
    bash_shell: bool = False
    login_banner: str = ""
    pager_stays_on: bool = False
    command_hang: str | None = None
    question_at: str | None = None
    changed_prompt_at: str | None = None
    drop_mid_command: str | None = None
    endless_output: str | None = None
    large_output: str | None = None
    large_output_bytes: int = 20_000_000
    new_host_key_at: str | None = None
    half_open_at: str | None = None
    stops_reading_at: str | None = None
    pause_in: str | None = None
    pause_at_byte: int = 0
    pause_seconds: float = 0.3
    outputs: Mapping[str, str] = field(default_factory=dict)
    behind_prompt: Mapping[str, str] = field(default_factory=dict)
    management_interface: str | None = None

    @property
    def need_a_front(self) -> bool:
        """Whether the link itself must misbehave. Then a `Front` stands before the device."""
        return bool(self.half_open_at or self.stops_reading_at or self.management_interface)
