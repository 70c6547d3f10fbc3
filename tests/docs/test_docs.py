"""The documentation tells the truth: the reference is what the code says, and no link leads nowhere."""

import re
from pathlib import Path

import pytest
from docs_pages import ROOT, all_pages, anchors_of

from docs.tools.pages import stale_pages
from supervisor.settings.run_settings import DaemonSettings
from supervisor.worker.shutdown import END_SECONDS

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


def _leads(link: re.Match[str], page: Path) -> bool:
    target = page.parent / link["path"] if link["path"] else page
    if not target.exists():
        return False
    return not link["anchor"] or link["anchor"] in anchors_of(target)


def test_a_container_is_given_the_time_that_an_orderly_end_may_take() -> None:
    """Nobody can ask a kubelet or podman for more: what runs after that is cut off."""
    page = (ROOT / "docs" / "how-to" / "metrics-and-health.md").read_text(encoding="utf-8")
    given = re.findall(r"terminationGracePeriodSeconds: (\d+)|podman stop --time (\d+)", page)
    wanted = DaemonSettings.model_fields["shutdown_timeout_seconds"].default + END_SECONDS
    assert {float(pod or podman) for pod, podman in given} == {wanted}
    assert len(given) == 2
    assert f"and {END_SECONDS:g} s to kill" in page
