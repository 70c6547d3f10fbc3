"""The members of the zoo that end by themselves, one by one; all of them together are `make zoo`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hosting.hosting import Host, hosted, signals_are_contained
from tests.programs.zoo.members import MEMBERS, MEMORY, TIME, Member

LIMITS = {"max_job_seconds": 10.0, "grace_seconds": 0.3}
QUICK = [
    member
    for member in MEMBERS
    if member.block.startswith("neops_zoo/")
    # The others take their time, or can take it.
    and not member.extra_seconds
    and not {*TIME, *MEMORY} & {*member.causes}
]


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """A worker without an engine, with the blocks of the zoo."""
    sources = ("blocks.testing", str(Path(__file__).parent / "zoo_blocks"))
    with hosted(tmp_path_factory.mktemp("zoo"), sources=sources) as host:
        assert host.problems == []
        yield host


@pytest.mark.parametrize("member", QUICK, ids=[member.name for member in QUICK])
def test_a_hostile_block_gets_its_truthful_result_and_the_next_job_runs(zoo: Host, member: Member) -> None:
    if member.needs_containment and not signals_are_contained():
        pytest.skip("this kernel is older than Linux 6.12")
    done = zoo.run(member.block, dict(member.parameters), limits=LIMITS)
    assert done["cause"] in member.causes, done["message"]
    assert done["success"] is (done["cause"] == "completed")
    assert member.told in done["message"]
    assert done["seconds"] < 10
    assert zoo.run("slow", {"seconds": 0})["cause"] == "completed"
    assert zoo.ask("processes")["unknown"] == []


def test_every_block_of_the_zoo_has_a_row_and_every_row_has_a_block(zoo: Host) -> None:
    rows = {f"{member.block}:1.0.0" for member in MEMBERS}
    zoo_blocks = {block for block in zoo.blocks if block.startswith("neops_zoo/")}
    assert zoo_blocks <= rows <= set(zoo.blocks)


def test_no_two_rows_have_one_name() -> None:
    names = [member.name for member in MEMBERS]
    assert len(set(names)) == len(names)
