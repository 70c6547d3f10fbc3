"""The difference between two configurations makes one of the other, on a model of a device."""

from device_configurations import configurations
from device_model import DIALECT, ModelDevice
from hypothesis import given, settings

from sdk.connection.changes.difference import difference
from sdk.connection.changes.lines import Line, Tree, are_same, paths_of, text_of
from sdk.connection.changes.prediction import predict
from sdk.connection.changes.undo import restore_tree
from sdk.connection.deadline import Deadline


def _device(tree: Tree) -> ModelDevice:
    return ModelDevice(text_of(tree))


def _tree(device: ModelDevice) -> Tree:
    return DIALECT.read(device.text())


def _ordered_parts(tree: Tree) -> list[Tree]:
    return [
        line.children for line in sorted(tree, key=lambda line: line.text) if line.text.startswith("list")
    ]


@given(configurations(), configurations())
@settings(max_examples=100, deadline=None)
def test_a_device_that_is_sent_the_difference_has_the_other_configuration(before: Tree, after: Tree) -> None:
    device = _device(before)
    restoration = restore_tree(device, after, deadline=Deadline(60))
    assert restoration.is_restored, restoration.remaining
    assert are_same(_tree(device), after)
    assert _ordered_parts(_tree(device)) == _ordered_parts(after), "where the order counts, it is the same"


@given(configurations(), configurations())
@settings(max_examples=100, deadline=None)
def test_one_pass_is_enough_where_no_line_takes_others_with_it(before: Tree, after: Tree) -> None:
    before, after = _without_peers(before), _without_peers(after)
    device = _device(before)
    for line in difference(before, after, DIALECT):
        assert device.send_config_line(line, deadline=Deadline(1)) == "", line
    assert are_same(_tree(device), after)


@given(configurations())
def test_there_is_no_difference_to_itself(tree: Tree) -> None:
    assert difference(tree, tree, DIALECT) == ()
    assert DIALECT.read(text_of(tree)) == tree


@given(configurations(), configurations())
@settings(max_examples=100, deadline=None)
def test_what_a_device_makes_of_lines_is_what_was_foretold(before: Tree, other: Tree) -> None:
    device = _device(before)
    lines = difference(before, other, DIALECT)
    for line in lines:
        device.send_config_line(line, deadline=Deadline(1))
    foretold = before
    for line in lines:
        tree = Line(line.text)
        for header in reversed(line.parents):
            tree = Line(header, (tree,))
        foretold = predict(foretold, (tree,), DIALECT)
    assert set(paths_of(foretold)) == set(paths_of(_tree(device)))


@given(configurations(), configurations())
@settings(max_examples=60, deadline=None)
def test_the_inverse_difference_takes_it_back(before: Tree, after: Tree) -> None:
    device = _device(before)
    restore_tree(device, after, deadline=Deadline(60))
    assert restore_tree(device, before, deadline=Deadline(60)).is_restored
    assert are_same(_tree(device), before)


def _without_peers(tree: Tree) -> Tree:
    return tuple(
        Line(line.text, _without_peers(line.children)) for line in tree if not line.text.startswith("peer")
    )


def test_what_goes_is_sent_before_what_comes_and_from_the_bottom_up() -> None:
    before = DIALECT.read("port 1\n many a\nport 2\n many b\ngroup 1\n one1 a")
    after = DIALECT.read("port 1\n many b\nport 2\n many a\ngroup 2\n one1 a")
    assert [str(line) for line in difference(before, after, DIALECT)] == [
        "no group 1",
        "port 2 / no many b",
        "port 1 / no many a",
        "port 1 / many b",
        "port 2 / many a",
        "group 2",
        "group 2 / one1 a",
    ]


def test_a_line_that_is_replaced_is_not_taken_out_first_but_in_a_thorough_difference() -> None:
    before, after = DIALECT.read("port 1\n one1 a"), DIALECT.read("port 1\n one1 b")
    assert [str(line) for line in difference(before, after, DIALECT)] == ["port 1 / one1 b"]
    thorough = difference(before, after, DIALECT, is_thorough=True)
    assert [str(line) for line in thorough] == ["port 1 / no one1", "port 1 / one1 b"]
