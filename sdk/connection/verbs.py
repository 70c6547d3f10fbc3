"""The actions of a connection, as blocking code on the platform's object. Both interfaces run them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from sdk.connection.deadline import Deadline

if TYPE_CHECKING:
    from sdk.connection.answer import Answer
    from sdk.connection.information import DeviceFacts, InterfaceFacts, Neighbor, Route
    from sdk.connection.platforms.platform import Platform

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Verb(Generic[T]):
    """One action. `what` names it in messages: "the command 'show version'"."""

    what: str
    run: Callable[[Platform, Deadline], T]


def send_command(command: str, *, parse: bool) -> Verb[Answer]:
    """Send one command."""
    return Verb(
        f"the command {command.strip()!r}",
        lambda platform, end: platform.send_command(command, deadline=end, parse=parse),
    )


def send_interactive(steps: Sequence[tuple[str, str | None]]) -> Verb[str]:
    """Send lines that the device answers with questions."""
    return Verb("the dialogue", lambda platform, end: platform.session.interact(steps, deadline=end).text)


def get_information() -> Verb[DeviceFacts]:
    """Read what the device is."""
    return Verb("reading the facts", lambda platform, end: platform.get_information(deadline=end))


def get_config(source: str) -> Verb[str]:
    """Read the `running` or the `startup` configuration."""
    return Verb(
        f"reading the {source} configuration",
        lambda platform, end: platform.get_config(deadline=end, source=source),
    )


def get_interfaces() -> Verb[list[InterfaceFacts]]:
    """Read the interfaces."""
    return Verb("reading the interfaces", lambda platform, end: platform.get_interfaces(deadline=end))


def get_neighbors() -> Verb[list[Neighbor]]:
    """Read the neighbors that a discovery protocol has seen."""
    return Verb("reading the neighbors", lambda platform, end: platform.get_neighbors(deadline=end))


def get_routes() -> Verb[list[Route]]:
    """Read the routes in use."""
    return Verb("reading the routes", lambda platform, end: platform.get_routes(deadline=end))


def save_config() -> Verb[None]:
    """Make the running configuration the startup configuration."""
    return Verb("saving the configuration", lambda platform, end: platform.save_config(deadline=end))
