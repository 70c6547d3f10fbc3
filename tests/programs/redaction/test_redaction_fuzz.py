"""The fuzzing itself, in a form short enough for every run: `make redaction` does more."""

import pytest

from jobrunner.protocol.masking import Mask
from tests.programs.redaction.cases import BRINGINGS, Case
from tests.programs.redaction.fuzzing import fuzz
from tests.programs.redaction.places import PLACES
from tests.programs.redaction.reading import leaked
from tests.programs.redaction.writing import WRITINGS

SECRET = "p&ss w\"ör\\d/+x's"


def test_no_secret_can_be_read_from_anything_that_leaves_the_worker() -> None:
    assert fuzz(200, derandomize=True)["cases"] >= 200


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("writing", WRITINGS)
def test_each_way_of_writing_is_masked_in_each_place(writing: str, place: str) -> None:
    for bringing in BRINGINGS:
        case = Case(SECRET, bringing, writing, place, "before ", " after", (3, 9, 20))
        assert case.leak() is None


@pytest.mark.parametrize("writing", WRITINGS)
def test_the_reader_of_secrets_finds_each_way_of_writing_where_nothing_masks(writing: str) -> None:
    """Else the fuzzing would find nothing, whatever leaked."""
    assert any(leaked(f"before {WRITINGS[writing](SECRET)} after", [SECRET], ""))


def test_a_place_that_masks_nothing_is_found_out() -> None:
    case = Case("swordfish-7", "declared", "base64", "mask alone", "", "", ())
    broken = Mask()
    assert any(leaked(PLACES["mask alone"](case.text, [], broken, ""), [case.secret], ""))


def test_a_cut_through_a_character_leaves_nothing_of_the_secret_before_it() -> None:
    case = Case("0000ࠀࠀࠀ", "declared", "HTML", "printed", "x " * 4089, "", ())
    for shift in range(12):
        moved = Case(case.secret, "declared", "HTML", "printed", "x" * shift + case.before, "", ())
        assert moved.leak() is None
