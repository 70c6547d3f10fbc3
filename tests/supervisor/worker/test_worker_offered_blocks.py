"""What is said of blocks that were not imported: where they are, and what helps."""

import logging

import pytest

from jobrunner.protocol.catalogue import BlockEntry, Catalogue, ImportProblem, LeftOut
from supervisor.log.events.blocks import BlockIdHasHyphen, ModuleFailed
from supervisor.worker.offered_blocks import tell_hyphens, tell_problem, what_to_do
from tests.log_events import told

pytestmark = pytest.mark.pure

IN_A_FILE = ImportProblem(
    module="_neops_directory_1.bad",
    file="/b/bad.py",
    line=2,
    kind="error",
    message="no luck",
    traceback="Traceback",
)
OF_A_NAME = ImportProblem(
    module="acme.bad", file=None, line=None, kind="source", message="does not exist", traceback=""
)


def test_a_module_that_failed_is_told_by_its_file_or_else_by_its_name(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The name of a module below a directory of blocks is one that only the worker knows."""
    caplog.set_level(logging.ERROR)
    tell_problem(IN_A_FILE)
    tell_problem(OF_A_NAME)
    in_a_file, of_a_name = told(caplog, ModuleFailed)
    assert (in_a_file["file"], in_a_file["line_number"], in_a_file.get("module")) == ("/b/bad.py", 2, None)
    assert (of_a_name.get("file"), of_a_name["module"]) == (None, "acme.bad")


def test_a_block_whose_id_has_a_hyphen_is_warned_of_by_its_id(caplog: pytest.LogCaptureFixture) -> None:
    blocks = tuple(
        BlockEntry.model_construct(id=f"{package}/x:1.0.0", package=package) for package in ("a_b", "fb.a-b")
    )
    tell_hyphens(Catalogue.model_construct(blocks=blocks))
    assert [event["block"] for event in told(caplog, BlockIdHasHyphen)] == ["fb.a-b/x:1.0.0"]


@pytest.mark.parametrize(
    ("catalogue", "advice"),
    [
        (
            Catalogue(blocks=[], problems=[]),
            "Name the directory of blocks in --function-blocks. If you did, `supervisor check` says what a block "
            "lacks.",
        ),
        (
            Catalogue(blocks=[], problems=[], left_out=[LeftOut(module="m", file=None, reason="r")]),
            "1 module(s) were not imported, because nothing at their top level registers a block. To import one, name "
            "its file in --function-blocks; to import all, give --import-all-modules.",
        ),
        (Catalogue(blocks=[], problems=[IN_A_FILE]), "This could not be imported: /b/bad.py:2: no luck."),
        (
            Catalogue(
                blocks=[], problems=[IN_A_FILE.model_copy(update={"message": "it has no run. Define it."})]
            ),
            "This could not be imported: /b/bad.py:2: it has no run. Define it.",
        ),
        (
            Catalogue(blocks=[], problems=[OF_A_NAME, IN_A_FILE, IN_A_FILE]),
            "This could not be imported, and 2 more could not: acme.bad: does not exist.",
        ),
        (
            Catalogue(blocks=[], problems=[IN_A_FILE.model_copy(update={"kind": "thread"}), OF_A_NAME]),
            "This could not be imported: acme.bad: does not exist.",
        ),
    ],
    ids=["nothing", "left out", "one", "full stop", "many", "one beside a module that has started a thread"],
)
def test_where_there_is_no_block_what_helps_is_said(catalogue: Catalogue, advice: str) -> None:
    assert what_to_do(catalogue) == advice
