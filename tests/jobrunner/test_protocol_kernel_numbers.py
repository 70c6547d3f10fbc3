"""The kernel's numbers that Python does not know: each is the one of the kernel's own headers, where these are."""

import re
from pathlib import Path

import pytest

from jobrunner import code_pages, fork_handlers, group_filter, job_user, keyrings, single_fork
from jobrunner.isolation import bpf
from jobrunner.protocol import linux
from supervisor.launcher import group_listener, process_groups, user_leftovers
from supervisor.process import birth_time, kernel_isolation

INCLUDE = Path("/usr/include")
X86_64 = "x86_64-linux-gnu/asm/unistd_64.h"
UNIFIED = "asm-generic/unistd.h"

NUMBERS: dict[str, dict[str, int]] = {
    "linux/prctl.h": {
        "PR_SET_PDEATHSIG": linux._PR_SET_PDEATHSIG,
        "PR_SET_DUMPABLE": linux._PR_SET_DUMPABLE,
        "PR_SET_NAME": linux._PR_SET_NAME,
        "PR_SET_CHILD_SUBREAPER": linux.PR_SET_CHILD_SUBREAPER,
        "PR_SET_NO_NEW_PRIVS": linux._PR_SET_NO_NEW_PRIVS,
        "PR_GET_TID_ADDRESS": single_fork._PR_GET_TID_ADDRESS,
    },
    "linux/sched.h": {
        "CLONE_PARENT": single_fork._CLONE_PARENT,
        "CLONE_CHILD_CLEARTID": single_fork._CLONE_CHILD_CLEARTID,
        "CLONE_CHILD_SETTID": single_fork._CLONE_CHILD_SETTID,
    },
    "asm-generic/signal.h": {"SIGCHLD": single_fork._SIGCHLD},
    "asm-generic/mman-common.h": {"MADV_DONTNEED": code_pages._MADV_DONTNEED},
    "linux/capability.h": {"_LINUX_CAPABILITY_VERSION_3": job_user._VERSION_3},
    "linux/keyctl.h": {
        "KEYCTL_JOIN_SESSION_KEYRING": keyrings._JOIN_SESSION_KEYRING,
        "KEYCTL_CLEAR": keyrings._CLEAR,
        "KEYCTL_GET_PERSISTENT": keyrings._GET_PERSISTENT,
        "KEYCTL_GET_KEYRING_ID": kernel_isolation._KEYCTL_GET_KEYRING_ID,
        "KEY_SPEC_PROCESS_KEYRING": keyrings._OF_THIS_PROCESS,
        "KEY_SPEC_USER_KEYRING": keyrings._OF_THE_USER[0],
        "KEY_SPEC_USER_SESSION_KEYRING": keyrings._OF_THE_USER[1],
        "KEY_SPEC_SESSION_KEYRING": kernel_isolation._KEY_SPEC_SESSION_KEYRING,
    },
    "linux/seccomp.h": {
        "SECCOMP_SET_MODE_FILTER": kernel_isolation._SECCOMP_SET_MODE_FILTER,
        "SECCOMP_FILTER_FLAG_TSYNC": bpf.ALL_THREADS,
        "SECCOMP_FILTER_FLAG_SPEC_ALLOW": bpf.LEAVE_SPECULATION_ALONE,
        "SECCOMP_FILTER_FLAG_NEW_LISTENER": group_filter._NEW_LISTENER,
        "SECCOMP_FILTER_FLAG_TSYNC_ESRCH": group_filter._FAIL_IF_A_THREAD_DIFFERS,
        "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV": group_filter._ONLY_A_KILL_INTERRUPTS,
        "SECCOMP_USER_NOTIF_FLAG_CONTINUE": group_listener._GO_ON,
    },
    "linux/elf.h": {
        "PT_LOAD": fork_handlers._LOADED,
        "PT_DYNAMIC": fork_handlers._DYNAMIC,
        "DT_STRTAB": fork_handlers._TABLE_OF_NAMES,
        "DT_STRSZ": fork_handlers._SIZE_OF_NAMES,
    },
    "linux/fcntl.h": {"AT_EMPTY_PATH": birth_time._AT_EMPTY_PATH},
    "linux/stat.h": {"STATX_BTIME": birth_time._STATX_BTIME},
    "linux/landlock.h": {"LANDLOCK_CREATE_RULESET_VERSION": kernel_isolation._CREATE_RULESET_VERSION},
    "linux/ipc.h": {"IPC_RMID": user_leftovers._IPC_RMID},
    "linux/pidfd.h": {"PIDFD_SIGNAL_PROCESS_GROUP": process_groups._OF_THE_GROUP},
    X86_64: {
        "__NR_clone": single_fork._CALLS["x86_64"].clone,
        "__NR_set_robust_list": single_fork._CALLS["x86_64"].set_robust_list,
        "__NR_get_robust_list": single_fork._CALLS["x86_64"].get_robust_list,
        "__NR_keyctl": keyrings.KEYCTL_NUMBER["x86_64"],
        "__NR_close_range": linux._CLOSE_RANGE,
        "__NR_landlock_create_ruleset": kernel_isolation._LANDLOCK_CREATE_RULESET,
    },
    UNIFIED: {
        "__NR_clone": single_fork._CALLS["aarch64"].clone,
        "__NR_set_robust_list": single_fork._CALLS["aarch64"].set_robust_list,
        "__NR_get_robust_list": single_fork._CALLS["aarch64"].get_robust_list,
        "__NR_keyctl": keyrings.KEYCTL_NUMBER["aarch64"],
        "__NR_close_range": linux._CLOSE_RANGE,
        "__NR_landlock_create_ruleset": kernel_isolation._LANDLOCK_CREATE_RULESET,
    },
}


def test_each_number_is_the_one_of_the_kernel_s_headers() -> None:
    there = {header: defined_in(INCLUDE / header) for header in NUMBERS}
    if not any(there.values()):
        pytest.skip("no headers of the kernel here")
    ours = {(header, name): number for header, names in NUMBERS.items() for name, number in names.items()}
    # A header may be older than a number.
    known = {(header, name) for header, name in ours if name in there[header]}
    assert {one: ours[one] for one in known} == {
        (header, name): there[header][name] for header, name in known
    }


def test_what_a_child_asks_by_is_numbered_alike_wherever_it_is_named() -> None:
    assert {name: keyrings.KEYCTL_NUMBER[name] for name in kernel_isolation._KEYCTL_NUMBER} == (
        kernel_isolation._KEYCTL_NUMBER
    )
    assert keyrings.KEYCTL_NUMBER["riscv64"] == keyrings.KEYCTL_NUMBER["aarch64"]  # unified, too


def test_raw_sockets_are_the_capability_of_that_name() -> None:
    there = defined_in(INCLUDE / "linux/capability.h")
    if not there:
        pytest.skip("no linux/capability.h here")
    assert 1 << there["CAP_NET_RAW"] == job_user._NET_RAW


def test_a_question_about_a_group_is_asked_as_seccomp_numbers_its_ioctls() -> None:
    asked, answer, number = group_listener._ASKED.size, group_listener._ANSWER.size, 8
    assert ioctl("!", 0, asked, reads=True) == group_listener._RECEIVE
    assert ioctl("!", 1, answer, reads=True) == group_listener._SEND
    assert ioctl("!", 2, number, reads=False) == group_listener._IS_VALID


def ioctl(kind: str, number: int, size: int, *, reads: bool) -> int:
    """Return what `_IOWR`, or else `_IOW`, makes (asm-generic/ioctl.h)."""
    return (3 if reads else 1) << 30 | size << 16 | ord(kind) << 8 | number


def defined_in(header: Path) -> dict[str, int]:
    """Return the plain numbers that a header defines; of one that is not there, none."""
    found: dict[str, int] = {}
    if not header.exists():
        return found
    for name, text in re.findall(r"^#define[ \t]+(\w+)[ \t]+([^/\n]+)", header.read_text(), re.MULTILINE):
        value = re.sub(r"(?<=[0-9A-Fa-f])[UL]+\b", "", text.strip())
        if shifted := re.fullmatch(r"\(?(\d+) << (\d+)\)?", value):
            found[name] = int(shifted[1]) << int(shifted[2])
        elif octal := re.fullmatch(r"0([0-7]+)", value):
            found[name] = int(octal[1], 8)
        elif re.fullmatch(r"-?(0x[0-9A-Fa-f]+|\d+)", value):
            found[name] = int(value, 0)
    return found
