"""The catalogue as data: closed, unchangeable, bounded where a block decides how much there is, and clear to people."""

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from jobrunner.protocol import catalogue as catalogue_module
from jobrunner.protocol.catalogue import CATALOGUE, BlockEntry, Catalogue, ImportProblem, LeftOut

BLOCK: dict[str, Any] = {
    "id": "lab/echo:1.2.3",
    "package": "lab",
    "name": "echo",
    "version": (1, 2, 3),
    "description": "",
    "run_on": "global",
    "fb_type": "execute",
    "help_text": "",
    "deprecated": False,
    "is_idempotent": True,
    "is_pure": True,
    "reversible": False,
    "parameter_schema": {},
    "result_schema": {},
    "max_seconds": None,
    "max_memory_mb": None,
    "module": "echo",
    "file": None,
    "line": None,
}
PROBLEM = ImportProblem(
    module="lab.echo", file="/opt/lab/echo.py", line=3, kind="error", message="it raised.", traceback=""
)
LEFT_OUT = LeftOut(module="lab.tool", file="/opt/lab/tool.py", reason="it registers nothing")
MODELS = [
    model
    for model in vars(catalogue_module).values()
    if isinstance(model, type) and issubclass(model, BaseModel) and model is not BaseModel
]


def block(**changed: Any) -> BlockEntry:
    return BlockEntry(**BLOCK | changed)


def test_all_kinds_of_entries_are_looked_at() -> None:
    assert set(MODELS) == {BlockEntry, ImportProblem, LeftOut, Catalogue}


@pytest.mark.parametrize(
    "entry", [block(), PROBLEM, LEFT_OUT, Catalogue()], ids=lambda one: type(one).__name__
)
def test_no_entry_changes_once_it_is_made_and_none_has_a_field_of_another_version(entry: BaseModel) -> None:
    """Who still holds the catalogue from before a reload must see what was in force then."""
    name = next(iter(type(entry).model_fields))
    with pytest.raises(ValidationError, match="frozen"):
        setattr(entry, name, getattr(entry, name))
    with pytest.raises(ValidationError, match="Extra inputs"):
        type(entry).model_validate(entry.model_dump() | {"unheard_of": 1})


@pytest.mark.parametrize(
    ("taken", "refused"),
    [
        ([["x" * 1000]], [["x" * 1001]]),
        ([["x"] * 50], [["x"] * 51]),
        ([["x"]] * 1000, [["x"]] * 1001),
    ],
    ids=["a key", "the keys of a path", "the paths"],
)
def test_where_secrets_are_is_told_within_bounds(taken: list[list[str]], refused: list[list[str]]) -> None:
    """For each job the supervisor follows all of them through the parameters."""
    assert len(block(sensitive_parameters=taken).sensitive_parameters) == len(taken)
    with pytest.raises(ValidationError):
        block(sensitive_parameters=refused)


def test_it_arrives_as_it_was_sent() -> None:
    sent = Catalogue(
        blocks=(block(sensitive_parameters=[["a", "*"]]),), problems=(PROBLEM,), left_out=(LEFT_OUT,)
    )
    assert CATALOGUE.validate_json(sent.to_json()) == sent


def test_a_block_is_found_by_its_id_and_by_nothing_else() -> None:
    found = Catalogue(blocks=(block(id="lab/other:1.0.0"), block()))
    assert found.find("lab/echo:1.2.3") == block()
    assert found.find("lab/echo:1.2.4") is None
    assert block().sensitive_parameters == ()


@pytest.mark.parametrize(
    ("file", "line", "place"),
    [("/opt/e.py", 3, "/opt/e.py:3"), ("/opt/e.py", None, "/opt/e.py"), (None, 3, "lab.echo")],
)
def test_a_problem_says_where_to_look_as_exactly_as_it_can(
    file: str | None, line: int | None, place: str
) -> None:
    problem = PROBLEM.model_copy(update={"file": file, "line": line})
    assert problem.place == place
    assert str(problem) == f"{place}: it raised."


@pytest.mark.parametrize(("file", "place"), [("/opt/t.py", "/opt/t.py"), (None, "lab.tool")])
def test_what_was_left_out_says_why(file: str | None, place: str) -> None:
    assert str(LEFT_OUT.model_copy(update={"file": file})) == f"{place}: it registers nothing"


def test_only_a_thread_that_an_import_left_keeps_a_template_from_forking() -> None:
    assert not Catalogue(problems=(PROBLEM,)).starts_threads
    assert Catalogue(problems=(PROBLEM, PROBLEM.model_copy(update={"kind": "thread"}))).starts_threads


def test_text_that_is_no_utf8_is_escaped_wherever_it_is() -> None:
    half = "\udcff"
    block = BlockEntry.model_validate(BLOCK | {"description": half, "parameter_schema": {half: [half]}})
    problem = PROBLEM.model_copy(update={"file": half, "message": half, "traceback": half})
    sent = Catalogue(blocks=(block,), problems=(problem,), left_out=(LEFT_OUT,))
    got = CATALOGUE.validate_json(sent.to_json())
    shown = r"\udcff"
    assert (got.blocks[0].description, got.blocks[0].parameter_schema) == (shown, {shown: [shown]})
    assert (got.problems[0].file, got.problems[0].message, got.problems[0].traceback) == (shown,) * 3
    assert got.left_out == sent.left_out
