"""The program's table fits the code and the page; the program itself takes half an hour, and runs all of it."""

import shutil

import pytest

from tests.docs.feature_table import ROOT, features, text
from tests.programs.features.__main__ import main
from tests.programs.features.taken_away import TAKEN_AWAY, TakenAway

ROWS = {row.number: row for section in features(text()) for row in section}


@pytest.mark.parametrize("each", TAKEN_AWAY, ids=lambda each: str(each.number))
def test_what_is_taken_away_is_in_the_code_once_and_a_test_is_named_for_it(each: TakenAway) -> None:
    found = (ROOT / each.file).read_text(encoding="utf-8").count(each.old)
    assert found == 1, (
        f"{each.file} has changed: say in taken_away.py how feature {each.number} is taken away now"
    )
    assert each.without != each.old
    assert len(ROWS[each.number].tests) > each.test


def test_each_feature_that_is_there_can_be_taken_away() -> None:
    assert [row.number for row in ROWS.values() if row.here == "yes"] == sorted(
        {each.number for each in TAKEN_AWAY if ROWS[each.number].here == "yes"}
    )


@pytest.mark.skipif(shutil.which("git") is None or not (ROOT / ".git").exists(), reason="no checkout of git")
def test_a_feature_that_is_taken_away_is_noticed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["28"]) == 0
    assert "its test fails without it" in capsys.readouterr().out
