"""Landlock's system calls and names (landlock(7), <linux/landlock.h>): a process gives up rights, for good."""

import ctypes
import os
import struct
from collections.abc import Iterable, Iterator
from typing import Final

from jobrunner.errors import JobRunnerError
from jobrunner.protocol.isolation import ABI_WITH_SIGNALS

# These have the same numbers on every architecture: they came after the numbers were unified.
_CREATE_RULESET: Final = 444
_ADD_RULE: Final = 445
_RESTRICT_SELF: Final = 446

_VERSION: Final = 1
_PATH_BENEATH: Final = 1
_RULESET: Final = struct.Struct("=QQQ")
"""struct landlock_ruleset_attr: handled_access_fs, handled_access_net, scoped. An older kernel knows only the first
ones, and accepts the whole if the others are zero."""
_BENEATH: Final = struct.Struct("=Qi")
"""struct landlock_path_beneath_attr, which is packed: allowed_access, parent_fd."""

SCOPE_ABSTRACT_SOCKETS: Final = 1 << 0
SCOPE_SIGNALS: Final = 1 << 1

WRITE_FILE: Final = 1 << 1
READ_FILE: Final = 1 << 2
_REMOVE_DIRECTORY: Final = 1 << 4
_REMOVE_FILE: Final = 1 << 5
_MAKE_ANYTHING: Final = 0b1111111 << 6
"""For characters, directories, files, sockets, pipes, blocks and symbolic links."""
REFER: Final = 1 << 13
TRUNCATE: Final = 1 << 14
IOCTL_DEVICE: Final = 1 << 15

_RIGHTS_SINCE: Final = {2: REFER, 3: TRUNCATE, 5: IOCTL_DEVICE}

_OF_FILES: Final = WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEVICE
"""The rights that a rule may give to anything but a directory; the kernel refuses a rule with any other (EINVAL)."""

_libc = ctypes.CDLL(None, use_errno=True)


class LandlockError(JobRunnerError, OSError):
    """A call that the kernel has refused. The text names the call."""


def file_rights(abi: int) -> int:
    """Return all rights to files that a process gives up unless a rule allows them, by version of Landlock.

    The rights to list directories and to execute are not among them, because a rule gives them to a directory only with
    everything below it: then nobody could list `/`. So names can be seen, but contents can't; and a file that can't be
    read can't be executed.
    """
    first = WRITE_FILE | READ_FILE | _REMOVE_DIRECTORY | _REMOVE_FILE | _MAKE_ANYTHING
    return first | sum(right for since, right in _RIGHTS_SINCE.items() if abi >= since)


def scopes(abi: int) -> int:
    """Return what a process can keep inside itself and its descendants, by version of Landlock."""
    return SCOPE_SIGNALS | SCOPE_ABSTRACT_SOCKETS if abi >= ABI_WITH_SIGNALS else 0


def rights_to(rights: int, *, is_directory: bool) -> int:
    """Return the part of `rights` that a rule for a directory, or for anything else, may give."""
    return rights if is_directory else rights & _OF_FILES


def abi_of_the_kernel() -> int:
    """Return the kernel's version of Landlock, 0 or less if it has none, or if it is switched off."""
    version: int = _libc.syscall(_CREATE_RULESET, None, 0, _VERSION)
    return version


def create_ruleset(rights: int, scoped: int) -> int:
    """Return the descriptor of a new set of rules. It takes away the rights that it handles, unless a rule allows them.

    Raises `LandlockError`. The descriptor is closed in programs that this process executes.
    """
    attributes = _RULESET.pack(rights, 0, scoped)
    return _checked("landlock_create_ruleset", _libc.syscall(_CREATE_RULESET, attributes, len(attributes), 0))


def rule_beneath(descriptor: int, rights: int) -> bytes:
    """Return the rule that allows `rights` to the file or directory of `descriptor`, and to everything below it."""
    return _BENEATH.pack(rights, descriptor)


def add_rules(ruleset: int, rules: Iterable[tuple[str, bytes]]) -> Iterator[tuple[str, LandlockError]]:
    """Add rules to a set, each with the name of what it is about. Yields those that the kernel refuses, and why.

    It is made for a hundred rules: each child adds all that its template has prepared.
    """
    call = _libc.syscall
    for about, rule in rules:
        if call(_ADD_RULE, ruleset, _PATH_BENEATH, rule, 0) < 0:
            yield about, _refused("landlock_add_rule")


def allow_beneath(ruleset: int, descriptor: int, rights: int) -> None:
    """Allow `rights` to the file or directory of `descriptor`, and to everything below it. Raises `LandlockError`."""
    rule = rule_beneath(descriptor, rights)
    _checked("landlock_add_rule", _libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, rule, 0))


def restrict_thread(ruleset: int) -> None:
    """Put this thread, and all that it starts from now on, under a set of rules. Raises `LandlockError`.

    Other threads of this process stay unchanged. `no_new_privs` must be set before.
    """
    _checked("landlock_restrict_self", _libc.syscall(_RESTRICT_SELF, ruleset, 0))


def _checked(call: str, result: int) -> int:
    if result < 0:
        raise _refused(call)
    return result


def _refused(call: str) -> LandlockError:
    number = ctypes.get_errno()
    return LandlockError(number, f"{call}: {os.strerror(number)}")
