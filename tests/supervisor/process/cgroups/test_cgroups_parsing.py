"""Where the own cgroups are, by the text of /proc: version 1, version 2, both, and what containers make of it."""

import pytest

from supervisor.process.cgroups.own_directories import OwnDirectory, counts, own_directories

V2_MOUNT = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate"
UNIT = "/system.slice/neops-supervisor.service"
MEMORY_MOUNT = "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory"


def paths(membership: str, *mounts: str) -> list[str]:
    return [own.path for own in own_directories(membership, "\n".join(mounts))]


def test_version_2_alone() -> None:
    found = own_directories(f"0::{UNIT}\n", f"{V2_MOUNT}\n25 23 0:22 / /proc rw - proc proc rw\n")
    assert found == [OwnDirectory(f"/sys/fs/cgroup{UNIT}", 2)]


def test_both_versions_side_by_side() -> None:
    found = own_directories(
        "9:name=systemd:/\n8:pids:/\n4:memory:/a/b\n2:cpu,cpuacct:/\n0::/\n",
        "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n"
        f"{MEMORY_MOUNT}\n"
        "39 31 0:36 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n"
        "40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd\n"
        "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n"
        "42 31 0:39 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n",
    )
    assert {(own.path, own.version, own.controllers) for own in found} == {
        ("/sys/fs/cgroup/systemd", 1, frozenset({"name=systemd"})),
        ("/sys/fs/cgroup/pids", 1, frozenset({"pids"})),
        ("/sys/fs/cgroup/memory/a/b", 1, frozenset({"memory"})),
        ("/sys/fs/cgroup/cpu", 1, frozenset({"cpu", "cpuacct"})),
        ("/sys/fs/cgroup/unified", 2, frozenset()),
    }


def test_a_container_sees_its_own_cgroup_where_only_that_is_mounted() -> None:
    mount = "30 23 0:26 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory"
    assert paths("4:memory:/docker/abc", mount) == ["/sys/fs/cgroup/memory"]
    assert paths("4:memory:/docker/abc/inner", mount) == ["/sys/fs/cgroup/memory/inner"]
    assert paths("4:memory:/docker/abcdef", mount) == []
    assert paths("4:memory:/other", mount) == []


@pytest.mark.parametrize(
    ("membership", "mount"),
    [
        ("0::/../../outside", V2_MOUNT),
        ("0::/", "30 23 0:26 /../.. /sys/fs/cgroup rw - cgroup2 cgroup2 rw"),
        ("0::/", ""),
        ("", V2_MOUNT),
        ("4:memory:/a", V2_MOUNT),
        ("0::/a", MEMORY_MOUNT),
        ("4:memory:/a", MEMORY_MOUNT.replace("rw,memory", "rw,cpu")),
    ],
)
def test_what_is_not_mounted_or_outside_of_the_namespace_is_not_found(membership: str, mount: str) -> None:
    assert paths(membership, mount) == []


def test_odd_lines_are_passed_over() -> None:
    odd = (
        "",
        "30",
        "30 23 0:26 / /x rw",
        "30 23 - cgroup2",
        "30 23 0:26 / /x rw - cgroup2",
        " - ",
        "a - b - c",
    )
    assert paths("\n".join(["", "0", "0:", "0::", "x::y", "0::/a"]), *odd, V2_MOUNT) == ["/sys/fs/cgroup/a"]


def test_spaces_and_colons_in_paths() -> None:
    mount = r"30 23 0:26 / /my\040cgroups\134x rw shared:1 master:2 - cgroup2 none rw"
    assert paths("0::/a:b c", mount) == ["/my cgroups\\x/a:b c"]


def test_of_two_mounts_at_one_place_the_later_hides_the_other() -> None:
    hidden = "29 23 0:26 /deep /sys/fs/cgroup rw - cgroup2 cgroup2 rw"
    assert paths("0::/deep/er", hidden, V2_MOUNT) == ["/sys/fs/cgroup/deep/er"]


def test_what_is_mounted_over_a_tree_hides_it() -> None:
    over = "31 23 0:40 / /sys/fs/cgroup rw - tmpfs tmpfs rw"
    assert paths("0::/a", V2_MOUNT, over) == []


def test_every_place_where_one_tree_is_mounted_is_named() -> None:
    again = V2_MOUNT.replace("/sys/fs/cgroup", "/mnt")
    assert paths("0::/a", V2_MOUNT, again) == ["/sys/fs/cgroup/a", "/mnt/a"]


def test_a_removed_cgroup_is_named_as_it_was() -> None:
    assert paths("0::/gone (deleted)", V2_MOUNT) == ["/sys/fs/cgroup/gone"]


def test_counts_take_what_is_a_number() -> None:
    text = "oom_kill_disable 0\nunder_oom 0\noom_kill 3\nmax max\n\nodd line here\n"
    assert counts(text.encode()) == {"oom_kill_disable": 0, "under_oom": 0, "oom_kill": 3}
