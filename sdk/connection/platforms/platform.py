"""The base class of all platforms: what a plugin gets, and what it may say that it can do."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, ClassVar, Protocol

from sdk.connection.answer import Answer
from sdk.connection.capabilities import Execution, missing
from sdk.connection.causes import Cause
from sdk.connection.deadline import Deadline
from sdk.connection.errors import DeviceError, fail
from sdk.connection.information import DeviceFacts, InterfaceFacts, Neighbor, Route
from sdk.connection.parsing import parse_rows
from sdk.connection.platforms import refusals
from sdk.connection.questions import Questions


class Reply(Protocol):
    """What the session returns: the text without echo and prompt, and whether the size limit has cut it."""

    @property
    def text(self) -> str:
        """What the device has sent."""
        ...

    @property
    def is_cut(self) -> bool:
        """Whether it has sent more."""
        ...


class DeviceSession(Protocol):
    """The part of a session that a platform uses. Each method blocks, and ends at the deadline with a `DeviceError`."""

    @property
    def where(self) -> str:
        """The device's name in messages."""
        ...

    @property
    def prompt(self) -> str:
        """The prompt that the device showed last, such as `lab1>`."""
        ...

    def send(self, command: str, *, deadline: Deadline, questions: Questions | None = None) -> Reply:
        """Send one line and return what came until the next prompt. `questions` answers questions before that."""
        ...

    def interact(self, steps: Sequence[tuple[str, str | None]], *, deadline: Deadline) -> Reply:
        """Send lines, each after the pattern of the line before has come; None means the prompt."""
        ...


class Platform:
    """Speaks to the devices of one platform. Subclass it, and register the class with `@register_platform`.

    Each connection has its own object. Its methods block, and only one thread at a time calls them. Each ends at its
    deadline with a `DeviceError`; a cancelled one ends so at its next line. A capability that `capabilities` does not
    name is refused before anything is sent.

    `name` is the first name that the class is registered for. `netmiko_type` is the driver of netmiko that logs in, and
    that knows whether there is a privileged mode. `paging_off` is sent after the login; it does not matter if a device
    refuses one of these lines. With `prepared_by_netmiko`, netmiko turns paging off instead. `is_shell`: the login may
    lead to the shell of an operating system, so "command not found" is an answer. `refusals` are the words with which
    the device refuses a command.
    """

    name: ClassVar[str] = ""
    netmiko_type: ClassVar[str]
    capabilities: ClassVar[frozenset[type]] = frozenset({Execution})
    paging_off: ClassVar[tuple[str, ...]] = ()
    prepared_by_netmiko: ClassVar[bool] = False
    is_shell: ClassVar[bool] = False
    refusals: ClassVar[re.Pattern[str]] = refusals.GENERAL

    def __init__(self, session: DeviceSession) -> None:
        self.session = session

    @classmethod
    def check_needs(cls, needs: tuple[type, ...], where: str) -> None:
        """Do nothing if the platform can do all of `needs`.

        Raises:
            NotSupportedError: it can't. Nothing was sent.
        """
        lacking = missing(cls.capabilities, needs)
        if lacking:
            raise fail(Cause.NOT_SUPPORTED, where, platform=cls.name, what=" and no ".join(lacking).lower())

    def after_login(self, *, deadline: Deadline) -> None:
        """Send `paging_off`, and check the platform. The first prompt has come; `enable` comes after this.

        Raises:
            ForeignShellError: the login leads to the shell of an operating system.
            WrongPlatformError: another platform answers.
        """
        for line in self.paging_off:
            self.refuse_foreign_shell(line, self.run(line, deadline=deadline).text)

    def run(self, line: str, *, deadline: Deadline) -> Reply:
        """Send one line to the platform's command line, and return the bare reply, whatever it says."""
        return self.session.send(line, deadline=deadline)

    def send_command(self, command: str, *, deadline: Deadline, parse: bool = False) -> Answer:
        """Send one command. With `parse`, the answer has the output also as data.

        Raises:
            ForeignShellError: a shell of an operating system has answered.
        """
        reply = self.run(command, deadline=deadline)
        self.refuse_foreign_shell(command, reply.text)
        is_refused = self.is_refusal(reply.text)
        is_data = parse and not reply.is_cut and not is_refused
        return Answer(
            command=command,
            output=reply.text,
            parsed=self.parse(command, reply.text, deadline=deadline) if is_data else None,
            is_cut=reply.is_cut,
            is_refused=is_refused,
        )

    def parse(self, command: str, output: str, *, deadline: Deadline) -> Any:
        """Return a complete output as data, None if nothing recognises it."""
        return parse_rows(self.netmiko_type, command, output)

    def ask(self, line: str, *, deadline: Deadline) -> str:
        """Send one command and return its output. The output is complete, and not a refusal.

        Raises:
            RefusedCommandError: the device refuses the command.
            ForeignShellError: a shell of an operating system has answered.
            UnreadableAnswerError: the output is longer than the size limit.
        """
        return self.complete(line, self.run(line, deadline=deadline))

    def complete(self, line: str, reply: Reply) -> str:
        """Return the output of a sent command. The output is complete, and not a refusal. Raises as `ask`."""
        self.refuse_foreign_shell(line, reply.text)
        if self.is_refusal(reply.text):
            said = refusals.words_of(reply.text, self.refusals)
            raise fail(Cause.REFUSED_COMMAND, self.session.where, last_line=said, what=line)
        if reply.is_cut:
            raise self.unreadable(line, "it is longer than the size limit")
        return reply.text

    def is_refusal(self, output: str) -> bool:
        """Whether an output says only that the device refuses the command."""
        return refusals.is_refusal(output, self.refusals) or refusals.is_foreign_shell(output)

    def refuse_foreign_shell(self, line: str, output: str) -> None:
        """Do nothing unless a shell has answered that it does not know the command.

        Raises:
            ForeignShellError: a shell has answered so.
        """
        if not self.is_shell and refusals.is_foreign_shell(output):
            said = refusals.words_of(output)
            where = self.session.where
            raise fail(Cause.FOREIGN_SHELL, where, last_line=said, what=line, platform=self.name)

    def unreadable(self, line: str, reason: str = "its form is not known") -> DeviceError:
        """Return the error for an answer that can't be converted to data."""
        return fail(Cause.UNREADABLE_ANSWER, self.session.where, what=line, detail=reason)

    def lacks(self, what: str) -> DeviceError:
        """Return the error for something that the platform does not have."""
        return fail(Cause.NOT_SUPPORTED, self.session.where, platform=self.name, what=what)

    def get_information(self, *, deadline: Deadline) -> DeviceFacts:
        """Return what the device is. Raises `NotSupportedError`, before it sends, if the plugin lacks it."""
        raise self.lacks("facts")

    def get_config(self, *, deadline: Deadline, source: str = "running") -> str:
        """Return the `running` or the `startup` configuration. Raises `NotSupportedError` before it sends."""
        raise self.lacks("configuration")

    def get_interfaces(self, *, deadline: Deadline) -> list[InterfaceFacts]:
        """Return the interfaces. Raises `NotSupportedError`, before it sends, if the plugin lacks it."""
        raise self.lacks("interfaces")

    def get_neighbors(self, *, deadline: Deadline) -> list[Neighbor]:
        """Return the neighbors. Raises `NotSupportedError`, before it sends, if the plugin lacks it."""
        raise self.lacks("neighbors")

    def get_routes(self, *, deadline: Deadline) -> list[Route]:
        """Return the routes. Raises `NotSupportedError`, before it sends, if the plugin lacks it."""
        raise self.lacks("routes")

    def save_config(self, *, deadline: Deadline) -> None:
        """Make the running configuration the startup configuration. Raises `NotSupportedError` before it sends."""
        raise self.lacks("startup configuration")
