"""The sections other than interfaces, and the commands below them: lines that the device keeps unchanged."""

import re
from collections.abc import Callable, Mapping
from typing import Final

from sdk.testing.devices.command_table import CommandTable
from sdk.testing.devices.ios_configuration import inner
from sdk.testing.devices.ios_state import Mode, SessionState

_MODES: Final[Mapping[str, tuple[Mode, str]]] = {
    "vrf definition": (Mode.VRF, r"\S+"),
    "vlan": (Mode.VLAN, r"\d{1,4}"),
    "router ospf": (Mode.ROUTER, r"\d+"),
    "router bgp": (Mode.ROUTER, r"\d+"),
    "ip access-list extended": (Mode.ACCESS_LIST, r"\S+"),
    "ip access-list standard": (Mode.ACCESS_LIST, r"\S+"),
    "route-map": (Mode.ROUTE_MAP, r"\S+( (permit|deny)( \d+)?)?"),
    "line vty": (Mode.LINE, r"\d+( \d+)?"),
    "key chain": (Mode.KEY_CHAIN, r"\S+"),
}

# What a section may hold. The second tuple: commands with at most one value.
_BELOW: Final[Mapping[Mode, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    Mode.VRF: (("address-family",), ("rd", "description")),
    Mode.VLAN: ((), ("name",)),
    Mode.ROUTER: (
        ("network", "neighbor", "redistribute", "passive-interface", "area", "bgp", "address-family"),
        ("router-id", "log-adjacency-changes", "default-information originate", "maximum-paths"),
    ),
    Mode.ACCESS_LIST: (("permit", "deny", "remark"), ()),
    Mode.ROUTE_MAP: (("match", "set"), ("description",)),
    Mode.LINE: (("access-class",), ("exec-timeout", "transport input", "login", "logging synchronous")),
}


def _enter(family: str) -> Callable[[SessionState, str], str]:
    mode, pattern = _MODES[family]

    def action(state: SessionState, argument: str) -> str:
        name = " ".join(argument.split())
        if not re.fullmatch(pattern, name):
            return f"% Invalid value for {family}: {name}"
        header = f"{family} {name}"
        state.device.configuration.sections.setdefault(header, [])
        state.enter(mode, section=header)
        return ""

    return action


def _remove(family: str) -> Callable[[SessionState, str], str]:
    def action(state: SessionState, argument: str) -> str:
        header = f"{family} {' '.join(argument.split())}"
        if family == "line vty":
            return "% Can't delete the last lines"
        sections = state.device.configuration.sections
        for name in [each for each in sections if each == header or each.endswith(inner("", header))]:
            del sections[name]
        return ""

    return action


SECTION_COMMANDS: Final = {
    **{f"{family} ...": _enter(family) for family in _MODES},
    **{f"no {family} ...": _remove(family) for family in _MODES},
}
"""The global commands that begin or remove a section."""


def _lines(state: SessionState) -> list[str]:
    assert state.section is not None, "the table of this mode is used in a section only"
    return state.device.configuration.sections[state.section]


def _add(word: str, *, single: bool) -> Callable[[SessionState, str], str]:
    def action(state: SessionState, argument: str) -> str:
        lines = _lines(state)
        line = f"{word} {argument}".strip()
        if single:
            lines[:] = [other for other in lines if not f"{other} ".startswith(f"{word} ")]
        if line not in lines:
            lines.append(line)
        return ""

    return action


def _take_out(word: str) -> Callable[[SessionState, str], str]:
    def action(state: SessionState, argument: str) -> str:
        lines = _lines(state)
        line = f"{word} {argument}".strip()
        lines[:] = [other for other in lines if not f"{other} ".startswith(f"{line} ")]
        return ""

    return action


def _exit(state: SessionState, _argument: str) -> str:
    state.enter(Mode.CONFIG)
    return ""


def _table(several: tuple[str, ...], single: tuple[str, ...]) -> CommandTable[SessionState]:
    words = (*several, *single)
    return CommandTable(
        {
            **{f"{word} [...]": _add(word, single=word in single) for word in words},
            **{f"no {word} [...]": _take_out(word) for word in words},
            "exit": _exit,
        }
    )


def _chain(state: SessionState) -> str:
    """The key chain of the mode, also inside one of its keys."""
    assert state.section is not None, "these commands are used in a section only"
    return state.section.rpartition(inner("", ""))[2]


def _enter_key(state: SessionState, argument: str) -> str:
    if not argument.isdecimal():
        return f"% Invalid key number: {argument}"
    sections, chain, line = state.device.configuration.sections, _chain(state), f"key {argument}"
    if line not in sections[chain]:
        sections[chain].append(line)
    sections.setdefault(inner(line, chain), [])
    state.enter(Mode.KEY, section=inner(line, chain))
    return ""


def _remove_key(state: SessionState, argument: str) -> str:
    sections, chain, line = state.device.configuration.sections, _chain(state), f"key {argument}"
    sections[chain] = [each for each in sections[chain] if each != line]
    sections.pop(inner(line, chain), None)
    state.enter(Mode.KEY_CHAIN, section=chain)
    return ""


def _remove_chain(state: SessionState, argument: str) -> str:
    state.enter(Mode.CONFIG)
    return _remove("key chain")(state, argument)


def _exit_key(state: SessionState, _argument: str) -> str:
    state.enter(Mode.KEY_CHAIN, section=_chain(state))
    return ""


# A mode also accepts the commands of the mode around it.
_KEY_CHAIN: Final = {
    "key ...": _enter_key,
    "no key ...": _remove_key,
    "key chain ...": _enter("key chain"),
    "no key chain ...": _remove_chain,
}

SECTION_TABLES: Final = {
    **{mode: _table(*words) for mode, words in _BELOW.items()},
    Mode.KEY_CHAIN: CommandTable({**_KEY_CHAIN, "exit": _exit}),
    Mode.KEY: CommandTable(
        {
            **_KEY_CHAIN,
            "key-string ...": _add("key-string", single=True),
            "no key-string [...]": _take_out("key-string"),
            "exit": _exit_key,
        }
    ),
}
"""The commands of each section's mode."""
