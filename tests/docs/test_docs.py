"""The documentation tells the truth: what can be executed works as printed, and no link leads nowhere."""

import re
from pathlib import Path

import pytest
from docs_pages import ROOT, all_pages, anchors_of, executed_pages
from docs_walkthrough import Walkthrough

from docs.tools.pages import stale_pages

_LINK = re.compile(r"\]\((?!https?:|mailto:)(?P<path>[^)#]*)(?:#(?P<anchor>[^)]*))?\)")


def test_the_api_reference_is_what_the_docstrings_say() -> None:
    stale = [str(path.relative_to(ROOT)) for path in stale_pages()]
    assert stale == [], "run `make docs`, and commit what it writes"


@pytest.mark.parametrize("page", all_pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_no_link_to_a_file_or_heading_leads_nowhere(page: Path) -> None:
    broken = [
        link.group() for link in _LINK.finditer(page.read_text(encoding="utf-8")) if not _leads(link, page)
    ]
    assert broken == []


@pytest.mark.timeout(180)
@pytest.mark.parametrize("page", executed_pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_that_is_executed_works_as_printed_from_an_empty_directory(page: Path, tmp_path: Path) -> None:
    directory, home = tmp_path / "empty", tmp_path / "home"
    directory.mkdir()
    home.mkdir()
    assert Walkthrough(page, directory, home).play() > 0


def _leads(link: re.Match[str], page: Path) -> bool:
    target = page.parent / link["path"] if link["path"] else page
    if not target.exists():
        return False
    return not link["anchor"] or link["anchor"] in anchors_of(target)
