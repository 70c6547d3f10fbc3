"""Lines with bytes that are no UTF-8, which come as U+FFFD: nothing is sent that a device takes for another text."""

from collections.abc import Callable

import pytest
from device_model import DIALECT, ModelDevice, Section

from sdk.connection.changes.apply import apply_plan
from sdk.connection.changes.difference import difference
from sdk.connection.changes.errors import LineRefusedError
from sdk.connection.changes.lines import tree_of
from sdk.connection.changes.plan import LinesError, plan_lines, plan_typed
from sdk.connection.changes.restore import roll_back
from sdk.connection.changes.undo import restore_tree
from sdk.connection.deadline import Deadline

BEFORE = "port 1\n one1 B\udcfcro\n many x\npeer 1 as\npeer 1 text B\udcfcro\nmap B\udcfc\n many a\n"


class LatinDevice(ModelDevice):
    """Holds bytes of Latin-1, each as half of a character, and shows them as a session reads them."""

    def text(self) -> str:
        return super().text().encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def test_a_line_with_unknown_bytes_that_went_along_is_not_sent_back_and_the_undo_lists_it() -> None:
    device = LatinDevice(BEFORE)
    take = device._take

    def taking_along(section: Section, text: str) -> str:
        if text == "many y":
            del section.lines["one1 B\udcfcro"]
        return take(section, text)

    device._take = taking_along  # type: ignore[method-assign]
    plan = plan_lines(device.text(), "port 1\n many y\nbad idea", DIALECT)
    with pytest.raises(LineRefusedError, match=r"NOT as it was before.* one1 B\ufffdro"):
        apply_plan(device, plan, deadline=Deadline(10))
    assert "port 1 / no many y" in device.sent, "all else is taken back"
    assert not [line for line in device.sent if "\ufffd" in line]


@pytest.mark.parametrize(
    ("lines", "named"),
    [
        ("port 1\n one1 Basel", "port 1 / one1 B\ufffdro"),
        ("port 1\n no one1", "port 1 / one1 B\ufffdro"),
        ("no peer 1 as", "peer 1 text B\ufffdro"),
    ],
)
def test_a_change_that_would_remove_or_replace_a_line_with_unknown_bytes_is_refused_in_the_plan(
    lines: str, named: str
) -> None:
    with pytest.raises(LinesError, match="the device has this line, with bytes that are no UTF-8") as refused:
        plan_lines(LatinDevice(BEFORE).text(), lines, DIALECT)
    assert refused.value.line == named


@pytest.mark.parametrize("lines", ["port 2\n one1 B\ufffdro", "map B\ufffd\n many b"])
@pytest.mark.parametrize("plan", [plan_lines, plan_typed])
def test_a_line_for_whose_bytes_something_else_would_be_sent_is_refused_in_the_plan(
    plan: Callable[..., object], lines: str
) -> None:
    with pytest.raises(LinesError, match="which stands for what is no UTF-8"):
        plan(LatinDevice(BEFORE).text(), lines, DIALECT)


def test_beside_lines_with_unknown_bytes_a_change_is_made_and_undone_to_the_identical_text() -> None:
    device = LatinDevice(BEFORE)
    plan = plan_lines(device.text(), "port 1\n many y\n no many x", DIALECT)
    apply_plan(device, plan, deadline=Deadline(10))
    assert device.root.lines["port 1"].lines.keys() == {"one1 B\udcfcro", "many y"}
    assert restore_tree(device, plan.base, deadline=Deadline(10)).is_restored
    assert device.root.lines["port 1"].lines.keys() == {"one1 B\udcfcro", "many x"}


def test_nothing_is_sent_to_a_section_whose_header_has_unknown_bytes() -> None:
    now, wanted = (tree_of(["map B\ufffd", f" many {each}", f"list {each}"]) for each in "ab")
    assert [str(line) for line in difference(now, wanted, DIALECT)] == ["no list a", "list b"]


def test_a_rollback_of_lines_that_have_replaced_unknown_bytes_says_what_is_left() -> None:
    device = LatinDevice(BEFORE)
    stored = device.text()
    device.root.lines["port 1"].lines = {"one1 Basel": Section(), "many x": Section()}
    done = roll_back(device, stored, lines="port 1\n one1 Basel", deadline=Deadline(10))
    assert not done.is_complete
    assert "NOT as it was before" in str(done)
    assert device.sent == []
