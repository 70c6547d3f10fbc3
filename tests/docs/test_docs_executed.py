"""The documentation tells the truth: what can be executed works as printed."""

from pathlib import Path

import pytest
from docs_pages import ROOT, executed_pages
from docs_walkthrough import Walkthrough


@pytest.mark.timeout(180)
@pytest.mark.parametrize("page", executed_pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_that_is_executed_works_as_printed_from_an_empty_directory(page: Path, tmp_path: Path) -> None:
    directory, home = tmp_path / "empty", tmp_path / "home"
    directory.mkdir()
    home.mkdir()
    assert Walkthrough(page, directory, home).play() > 0
