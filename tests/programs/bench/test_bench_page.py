"""The page of the benchmark is what its command writes from what was measured, and nothing that somebody has typed."""

import json
import xml.etree.ElementTree as ElementTree

import pytest

from tests.programs.bench.competitors.report import ACT_NAMES, behaviour_rows, speed_rows
from tests.programs.bench.competitors.workers import competitors
from tests.programs.bench.page.__main__ import DOCS, KEPT, PAGE
from tests.programs.bench.page.plots import Bar, picture
from tests.programs.bench.page.writing import NOT_MEASURED, page, pictures


@pytest.fixture(scope="module")
def kept() -> dict[str, object]:
    value: dict[str, object] = json.loads(KEPT.read_text(encoding="utf-8"))
    return value


def test_the_page_is_what_the_command_writes(kept: dict[str, object]) -> None:
    assert PAGE.read_text(encoding="utf-8") == page(kept), "run `make bench-page ARGS=--from-kept`"


def test_the_pictures_are_what_the_command_writes(kept: dict[str, object]) -> None:
    for name, text in pictures(kept).items():
        assert (DOCS / name).read_text(encoding="utf-8") == text, "run `make bench-page ARGS=--from-kept`"


def test_each_worker_has_a_line_and_each_act_too() -> None:
    workers = competitors(DOCS, "no network")
    speed = speed_rows(workers, {})
    behaviour = behaviour_rows(workers, {worker.key: {} for worker in workers})
    text = page({"competitors": {"speed": speed, "behaviour": behaviour, "machine": {"cores": "2"}}})
    assert all(f"\n| {worker.name} | " in text for worker in workers)
    assert all(f"\n| {name} | " in text for name in ACT_NAMES.values())
    assert "\n| cores | 2 |\n" in text


def test_a_part_that_was_never_measured_is_told_to_be_so() -> None:
    assert page({}).count(NOT_MEASURED) == 6
    assert "@" not in page({})


@pytest.mark.parametrize(("amount", "is_told"), [("little", True), ("all", False)])
def test_figures_of_a_short_run_are_told_to_be_so(amount: str, is_told: bool) -> None:
    text = page({"timeline": {"steps": [], "machine": {"how much": amount}}})
    assert ("Short runs" in text.partition("## Beside others")[0]) is is_told


def test_a_picture_is_well_formed_whatever_the_names_are() -> None:
    text = picture("a < b & c", [Bar('"<x>"', 0.0, 1.0, "1 & 2"), Bar("nothing", 0.0, 0.0, "0")])
    assert len(ElementTree.fromstring(text).findall("{http://www.w3.org/2000/svg}rect")) == 3
    assert ElementTree.fromstring(picture("none", [])).tag.endswith("svg")
