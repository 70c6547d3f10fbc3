"""Each cause of a job's end has its section, which says what to do, and whether the engine is told to try again."""

import re

import pytest
from docs_pages import ROOT

from supervisor.verdict.verdict import RETRYABLE, Cause

PAGE = ROOT / "docs" / "how-to" / "when-something-is-wrong.md"
SECTIONS = dict(
    re.findall(
        r"^### `(\w+)`\n(.*?)(?=^##)", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
    )
)
ANSWERS = {True: "yes", False: "no", None: None}


def test_every_cause_has_its_section_and_no_other_has() -> None:
    assert list(SECTIONS) == [str(cause) for cause in Cause]


@pytest.mark.parametrize("cause", Cause)
def test_a_section_tells_what_the_engine_is_told(cause: Cause) -> None:
    told = re.search(r"Start again: (yes|no)", SECTIONS[cause])
    assert (told and told[1]) == ANSWERS[RETRYABLE.get(cause)]
