"""Blank strings count as absent where a model names a field, and nowhere else."""

from pydantic import BaseModel, RootModel

from sdk.parsing.blanks import without_blanks


class Inner(BaseModel):
    name: str | None = None
    count: int | None = None


class ByName(RootModel[dict[str, Inner]]):
    pass


class Many(RootModel[list[Inner]]):
    pass


class Outer(BaseModel):
    either: ByName | Inner | None = None
    named: ByName | None = None
    many: Many | None = None
    listed: list[Inner] = []
    free: dict[str, str] = {}
    words: list[str] = []


BLANK = {"name": " ", "count": 1}


def test_a_model_that_is_a_mapping_of_models_is_looked_through() -> None:
    assert without_blanks(ByName, {"a": BLANK, "b": ""}) == {"a": {"count": 1}, "b": ""}
    assert without_blanks(Outer, {"named": {"a": BLANK}}) == {"named": {"a": {"count": 1}}}


def test_a_list_of_models_is_looked_through_also_in_a_model_of_its_own() -> None:
    assert without_blanks(Outer, {"listed": [BLANK, ""], "many": [BLANK]}) == {
        "listed": [{"count": 1}, ""],
        "many": [{"count": 1}],
    }


def test_where_a_model_or_a_mapping_may_be_the_model_s_fields_decide() -> None:
    assert without_blanks(Outer, {"either": {"name": "", "other": ""}}) == {"either": {"other": ""}}


def test_what_is_data_stays_blank() -> None:
    raw = {"free": {"name": ""}, "words": ["", " "], "unknown": "", "listed": "x"}
    assert without_blanks(Outer, raw) == raw


def test_what_was_given_is_not_changed() -> None:
    raw = {"listed": [dict(BLANK)]}
    without_blanks(Outer, raw)
    assert raw == {"listed": [BLANK]}
