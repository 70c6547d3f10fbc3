"""A reload says what it has changed, and what could not be imported."""

import pytest

from jobrunner.protocol.catalogue import BlockEntry, Catalogue, ImportProblem
from supervisor.worker.reload import catalogue_changes, refused_blocks


def catalogue(problems: tuple[ImportProblem, ...] = (), **blocks: str) -> Catalogue:
    entries = tuple(
        BlockEntry.model_construct(id=f"acme/{name}:1.0.0", code_digest=digest)
        for name, digest in blocks.items()
    )
    return Catalogue.model_construct(blocks=entries, problems=problems)


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        ({"a": "1"}, {"a": "1"}, ()),
        ({"a": "1", "b": "1"}, {"a": "1"}, ("gone: acme/b:1.0.0",)),
        ({"a": "1"}, {"a": "1", "b": "1"}, ("new: acme/b:1.0.0",)),
        ({"a": "1"}, {"a": "2"}, ("changed: acme/a:1.0.0",)),
    ],
)
def test_blocks_that_are_gone_new_or_of_other_code_are_named(
    before: dict[str, str], after: dict[str, str], lines: tuple[str, ...]
) -> None:
    assert catalogue_changes(catalogue(**before), catalogue(**after)) == lines


def test_a_new_module_that_is_broken_is_named_with_its_place() -> None:
    broken = ImportProblem(
        module="m", file="/b/w2.py", line=3, kind="error", message="no luck\n\x1b[2J", traceback=""
    )
    (line,) = catalogue_changes(catalogue(a="1"), catalogue((broken,), a="1"))
    assert line == "not imported: /b/w2.py:3: no luck  [2J"


def test_blocks_that_the_engine_has_refused_are_named_with_its_reason_in_a_line_each() -> None:
    refused = {"acme/b:1.0.0": "no\n\x1b[2J", "acme/a:1.0.0": "x" * 1000}
    first, second = refused_blocks(refused)
    assert first.startswith("refused by the engine: acme/a:1.0.0: xxx")
    assert len(first) == 500
    assert second == "refused by the engine: acme/b:1.0.0: no  [2J"
