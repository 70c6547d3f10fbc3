"""Escapes undone: what a text says without them, and where in the text each of its characters stands."""

import json
import urllib.parse

import pytest

from jobrunner.protocol.masking.effort import Effort
from jobrunner.protocol.masking.views import possible_endings, views, without_half_an_escape


def decoded(text: str) -> set[str]:
    return {view.text for view in views(text, Effort())} - {text}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a\\nb", "a\nb"),
        ("a\\qb", "aqb"),
        ("a\\x41b", "aAb"),
        ("a\\u0041b", "aAb"),
        ("a\\ud83d\\ude00b", "a😀b"),
        ("a\\udbff\\udfffb", "a\U0010ffffb"),
        ("a\\U0001f600b", "a😀b"),
        ("a\\U0010ffffb", "a\U0010ffffb"),
        ("a\\U00110000b", "a\ufffdb"),
        ("a%41b", "aAb"),
        ("a%F0%9F%98%80%41b", "a😀Ab"),
        ("a%ff%41b", "a\udcffAb"),
        ("a&amp;b", "a&b"),
        ("a&#65;b", "aAb"),
        ("a&#x41;b", "aAb"),
        ("a&#X1F600;b", "a😀b"),
        ("a&#1114111;b", "a\U0010ffffb"),
        ("a&#1114112;b", "a\ufffdb"),
        ("a'\"'\"'b", "a'b"),
    ],
)
def test_an_escape_is_undone_and_stands_where_its_character_stands(text: str, says: str) -> None:
    (view,) = (view for view in views(text, Effort()) if view.text == says)
    assert view.in_text((0, 1)) == (0, 1)
    assert view.in_text((1, len(says) - 1)) == (1, len(text) - 1)
    assert view.in_text((len(says) - 1, len(says))) == (len(text) - 1, len(text))


def test_of_several_escapes_each_stands_in_its_own_place() -> None:
    text = "\\x41bc\\u0044\\x45%F0%9F%98%80%46gh"
    (view,) = (view for view in views(text, Effort()) if view.text == "AbcDE😀Fgh")
    places = [text[slice(*view.in_text((at, at + 1)))] for at in range(len(view.text))]
    assert places == ["\\x41", "b", "c", "\\u0044", "\\x45", "%F0%9F%98%80", "%46", "g", "h"]
    assert view.in_text((2, 5)) == (5, 16)


def test_a_line_break_is_undone_as_nothing_and_as_a_blank() -> None:
    text = "abc\r\n  def"
    nothing, blank = (view for view in views(text, Effort()) if view.text != text)
    assert (nothing.text, blank.text) == ("abcdef", "abc def")
    assert nothing.in_text((2, 4)) == (2, 8)
    assert blank.in_text((3, 4)) == (3, 7)


def test_backslashes_are_undone_three_times_and_other_escapes_twice() -> None:
    assert decoded("\\" * 16) == {"\\" * 8, "\\" * 4, "\\" * 2}
    assert decoded("%25252525") == {"%252525", "%2525"}
    assert decoded("&amp;amp;amp;amp;") == {"&amp;amp;amp;", "&amp;amp;"}


def test_escapes_of_different_kinds_in_one_another_are_undone() -> None:
    assert '""ab""' in decoded(json.dumps(urllib.parse.quote(json.dumps("a\\u0062"))))
    assert "a'b" in decoded("a%26#39;b")


def test_each_text_comes_once_though_there_are_several_ways_to_it() -> None:
    texts = [view.text for view in views("\\n%41&amp;", Effort())]
    assert sorted(texts) == sorted(set(texts))


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("ab", "ab"),
        ("ab%", "ab"),
        ("ab%4", "ab"),
        ("ab\\", "ab"),
        ("ab\\u00", "ab"),
        ("\\u00", ""),
        ("&am", ""),
        ("ab\\u0041", "ab\\u0041"),
        ("%" * 20, "%" * 4),
    ],
)
def test_half_an_escape_at_a_cut_is_dropped(text: str, kept: str) -> None:
    assert without_half_an_escape(text) == kept


def test_a_cut_text_may_end_before_all_that_may_be_half_an_escape() -> None:
    assert list(possible_endings("\\u00")) == ["\\u00", "", "\\"]
    assert list(possible_endings("a&b\\U0")) == ["a&b\\U0", "a", "a&b", "a&b\\"]
    assert list(possible_endings("%" * 20)) == ["%" * length for length in (20, *range(4, 20))]
