"""Importing without the garbage collector."""

import gc
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobrunner.protocol.importing import import_uncollected

pytestmark = pytest.mark.pure

_MANY_OBJECTS = "import gc\nWAS_ENABLED = gc.isenabled()\nMADE = [[] for _ in range(5000)]\n"


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "neops_uncollected.py").write_text(_MANY_OBJECTS)
    (tmp_path / "neops_broken.py").write_text("raise RuntimeError('broken')\n")
    yield "neops_uncollected"
    sys.modules.pop("neops_uncollected", None)
    gc.unfreeze()


def test_no_collection_runs_during_the_import_and_none_looks_at_what_it_made(module: str) -> None:
    frozen = gc.get_freeze_count()
    imported = import_uncollected(module)
    assert imported.WAS_ENABLED is False
    assert gc.isenabled()
    assert gc.get_freeze_count() - frozen >= 5000


def test_the_collector_is_on_again_when_the_import_fails(module: str) -> None:
    with pytest.raises(RuntimeError, match="broken"):
        import_uncollected("neops_broken")
    assert gc.isenabled()


def test_a_collector_that_was_off_stays_off(module: str) -> None:
    gc.disable()
    try:
        import_uncollected(module)
        assert not gc.isenabled()
    finally:
        gc.enable()
