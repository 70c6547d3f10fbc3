"""The processor time of a job's cgroup, as the kernel writes it (cgroup-v2: cpu.stat; version 1: cpuacct.usage)."""

from pathlib import Path

import pytest

from supervisor.process.cgroups.cgroup import Cgroup, Role, Tree

CPU: frozenset[Role] = frozenset({"cpu"})


@pytest.mark.parametrize(
    ("version", "file", "content"),
    [(2, "cpu.stat", "usage_usec 2500000\nuser_usec 1\n"), (1, "cpuacct.usage", "2500000000\n")],
)
def test_what_was_ever_in_it_is_counted_in_seconds(
    tmp_path: Path, version: int, file: str, content: str
) -> None:
    cgroup = Cgroup((), "job", None, print)
    assert cgroup.cpu_seconds() is None
    (tmp_path / "job").mkdir()
    (tmp_path / "job" / file).write_text(content)
    cgroup._joined = (Tree(tmp_path, version, CPU),)
    assert cgroup.cpu_seconds() == 2.5
