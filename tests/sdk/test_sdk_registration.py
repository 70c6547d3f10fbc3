"""A block's declaration is checked where it is written."""

import dataclasses

import pytest
from sdk_support import TextParams, registration

from sdk import SdkError
from sdk.errors import RegistrationError


def test_the_identifier_is_package_name_and_version() -> None:
    facts = registration(version=(1, 20, 3))
    assert facts.identifier == "tests/sample:1.20.3"
    assert (facts.major_version, facts.minor_version, facts.patch_version) == (1, 20, 3)


@pytest.mark.parametrize("part", ["name", "package"])
@pytest.mark.parametrize("bad", ["", "a/b", "a:b", "a b", "a\n", " a", 7, None])
def test_an_id_that_either_generation_of_the_engine_refuses_is_refused(part: str, bad: object) -> None:
    with pytest.raises(RegistrationError) as caught:
        registration(**{part: bad})
    assert part in caught.value.what
    assert caught.value.advice


def test_dots_and_underscores_are_fine_in_an_id() -> None:
    facts = registration(package="base.neops.io", name="show_command")
    assert facts.identifier == "base.neops.io/show_command:1.0.0"


@pytest.mark.parametrize("bad", [(1, 0), (1, 0, -1), (1, 0, "0"), (1, 0, True), (1.0, 0, 0), "1.0.0", None])
def test_a_version_is_three_integers_from_zero_up(bad: object) -> None:
    with pytest.raises(RegistrationError, match="version"):
        registration(version=bad)


def test_a_version_given_as_a_list_is_taken() -> None:
    assert registration(version=[0, 0, 1]).version == (0, 0, 1)


@pytest.mark.parametrize(("field", "bad"), [("run_on", "devices"), ("fb_type", "exec"), ("run_on", None)])
def test_a_word_the_engine_does_not_know_is_refused_with_those_it_knows(field: str, bad: object) -> None:
    with pytest.raises(RegistrationError, match=field) as caught:
        registration(**{field: bad})
    assert (
        ", ".join(["global", "device"] if field == "run_on" else ["configure", "facts"])
        in caught.value.advice
    )


def test_a_help_text_longer_than_the_engines_column_is_refused() -> None:
    assert registration(markdown_helptext="x" * 255)
    with pytest.raises(RegistrationError, match="256"):
        registration(markdown_helptext="x" * 256)


@pytest.mark.parametrize("bad", [0, -1, float("nan"), float("inf"), True, "60"])
@pytest.mark.parametrize("limit", ["max_seconds", "max_cpu_seconds"])
def test_a_limit_of_time_is_a_finite_number_above_zero(limit: str, bad: object) -> None:
    assert getattr(registration(**{limit: 0.5}), limit) == 0.5
    with pytest.raises(RegistrationError, match=f"{limit} is"):
        registration(**{limit: bad})


@pytest.mark.parametrize("bad", [0, -1, 1.5, True, "60"])
def test_a_memory_limit_is_a_whole_number_above_zero(bad: object) -> None:
    assert registration(max_memory_mb=64, max_concurrent=2).max_concurrent == 2
    for name in ("max_memory_mb", "max_concurrent"):
        with pytest.raises(RegistrationError, match=name):
            registration(**{name: bad})


@pytest.mark.parametrize("field", ["param_cls", "result_cls"])
@pytest.mark.parametrize("bad", [dict, None, TextParams(), int])
def test_models_are_subclasses_of_the_sdks_bases(field: str, bad: object) -> None:
    with pytest.raises(RegistrationError, match=field):
        registration(**{field: bad})


def test_flags_are_booleans() -> None:
    with pytest.raises(RegistrationError, match="is_pure"):
        registration(is_pure="no")


def test_a_registration_can_not_be_changed_and_can_be_hashed() -> None:
    facts = registration()
    assert hash(facts) == hash(registration())
    with pytest.raises(dataclasses.FrozenInstanceError):
        facts.name = "other"


def test_a_registration_error_is_an_sdk_error_that_names_block_problem_and_advice() -> None:
    with pytest.raises(SdkError) as caught:
        registration(name="bad name")
    assert str(caught.value).startswith("tests/bad name: name 'bad name' is not valid in a block id. Use ")
