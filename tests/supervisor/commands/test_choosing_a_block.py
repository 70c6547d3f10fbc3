"""Which block is meant, and what its job runs on."""

from typing import Any

import pytest

from jobrunner.protocol.catalogue import BlockEntry, Catalogue, ImportProblem
from supervisor.commands.blockserver.block_lookup import NoSuchBlockError, choose
from supervisor.commands.blockserver.job_request import Asked, job_of


def block(package: str, name: str, version: tuple[int, int, int], run_on: str = "global") -> BlockEntry:
    facts: dict[str, Any] = dict.fromkeys(("deprecated", "is_idempotent", "is_pure", "reversible"), False)
    return BlockEntry(
        id=f"{package}/{name}:{'.'.join(map(str, version))}",
        package=package,
        name=name,
        version=version,
        description="",
        run_on=run_on,
        fb_type="none",
        help_text="",
        parameter_schema={},
        result_schema={},
        max_seconds=None,
        max_memory_mb=None,
        module="m",
        file=None,
        line=None,
        **facts,
    )


CATALOGUE = Catalogue(
    blocks=(
        block("a", "echo", (1, 2, 0)),
        block("a", "echo", (1, 10, 0)),
        block("a", "echo", (1, 9, 0)),
        block("a", "same", (1, 0, 0)),
        block("b", "same", (2, 0, 0)),
    )
)


@pytest.mark.parametrize(
    ("wanted", "meant"),
    [
        ("a/echo:1.2.0", "a/echo:1.2.0"),
        ("a/echo", "a/echo:1.10.0"),
        ("echo", "a/echo:1.10.0"),
        ("echo:1.9.0", "a/echo:1.9.0"),
        ("b/same", "b/same:2.0.0"),
        ("same:1.0.0", "a/same:1.0.0"),
    ],
)
def test_parts_of_an_id_are_enough_and_the_highest_version_is_taken(wanted: str, meant: str) -> None:
    assert choose(CATALOGUE, wanted).id == meant


def test_a_name_of_two_packages_needs_its_package() -> None:
    with pytest.raises(
        NoSuchBlockError, match=r"'same' may be a/same or b/same\. Name the package too"
    ) as caught:
        choose(CATALOGUE, "same")
    assert caught.value.near == ("a/same:1.0.0", "b/same:2.0.0")


@pytest.mark.parametrize("wanted", ["ecko", "a/ecko", "a/echo:1.9.1", "c/echo:1.9.0"])
def test_an_unknown_name_leads_to_near_ones(wanted: str) -> None:
    with pytest.raises(NoSuchBlockError) as caught:
        choose(CATALOGUE, wanted)
    assert "a/echo:1.9.0" in caught.value.near
    assert len(caught.value.near) <= 5


def test_where_nothing_is_near_the_problems_are_named() -> None:
    problem = ImportProblem(module="m", file="m.py", line=3, kind="error", message="no luck", traceback="")
    catalogue = CATALOGUE.model_copy(update={"problems": (problem,)})
    with pytest.raises(NoSuchBlockError, match=r"could not be imported[^\n]*:\n  m\.py:3: no luck"):
        choose(catalogue, "zzz")


def test_a_module_that_only_started_a_thread_is_not_named_as_one_that_the_block_may_be_in() -> None:
    problem = ImportProblem(module="m", file="m.py", line=None, kind="thread", message="it did", traceback="")
    with pytest.raises(NoSuchBlockError) as caught:
        choose(CATALOGUE.model_copy(update={"problems": (problem,)}), "zzz")
    assert caught.value.problems == ()
    assert "m.py" not in str(caught.value)


def test_the_blocks_that_exist_are_listed_the_nearest_first() -> None:
    with pytest.raises(NoSuchBlockError) as caught:
        choose(CATALOGUE, "b/sam")
    error = caught.value
    assert error.known[:2] == ("b/same:2.0.0", "a/same:1.0.0")
    assert sorted(error.known) == sorted(each.id for each in CATALOGUE.blocks)
    assert str(error).splitlines()[1:] == [
        "These blocks were found:",
        *(f"  {known}" for known in error.known),
    ]


@pytest.mark.parametrize(("number", "last"), [(20, "  p/block"), (21, "  and 1 more"), (30, "  and 10 more")])
def test_no_more_than_twenty_blocks_are_listed_and_the_rest_is_counted(number: int, last: str) -> None:
    blocks = tuple(block("p", f"block_{index}", (1, 0, 0)) for index in range(number))
    with pytest.raises(NoSuchBlockError) as caught:
        choose(Catalogue(blocks=blocks), "zzz")
    lines = str(caught.value).splitlines()
    assert (len(lines), len(caught.value.known)) == (2 + min(number, 21), number)
    assert lines[-1].startswith(last)


def test_where_there_is_no_block_at_all_that_is_said() -> None:
    with pytest.raises(NoSuchBlockError, match=r"^There is no block 'zzz'\. No blocks were found\.$"):
        choose(Catalogue(), "zzz")


@pytest.mark.parametrize(
    ("run_on", "context", "entity_id"),
    [
        ("device", {"devices": [{"id": 4}]}, 4),
        ("interface", {"devices": [{"id": 4}], "interfaces": [{"id": 5}]}, 5),
        ("group", {"deviceGroups": [{"id": 6}]}, 6),
        ("group", {"device_groups": [{"id": 7}]}, 7),
        ("device", {"devices": [{"id": 4}, {"id": 5}]}, None),
        ("device", {"devices": []}, None),
        ("device", {"devices": "no list"}, None),
        ("device", {}, None),
        ("global", {"devices": [{"id": 4}]}, None),
    ],
)
def test_a_job_runs_on_the_only_entity_of_its_kind(
    run_on: str, context: dict[str, Any], entity_id: int | None
) -> None:
    job = job_of(Asked("execute", None, None, {}, context), block("a", "b", (1, 0, 0), run_on))
    assert (job.run_on, job.entity_id) == (run_on, entity_id)


def test_what_was_asked_for_goes_before_what_follows() -> None:
    asked = Asked("rollback", "interface", 9, {}, {"devices": [{"id": 4}]})
    job = job_of(asked, block("a", "b", (1, 0, 0), "device"))
    assert (job.job_type, job.run_on, job.entity_id) == ("rollback", "interface", 9)
