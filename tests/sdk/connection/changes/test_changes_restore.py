"""A rollback from another process: from where, what it takes back, and what it leaves to others."""

import re

import pytest
from device_configurations import configurations
from device_model import DIALECT, ModelDevice
from hypothesis import given, settings

from sdk.connection.causes import Cause
from sdk.connection.changes.apply import apply_plan
from sdk.connection.changes.confirm import confirm, undo
from sdk.connection.changes.errors import ConfirmedTooLateError, NothingToRestoreError, NotRestoredError
from sdk.connection.changes.lines import Line, Tree, are_same, text_of
from sdk.connection.changes.merging import is_visible, without_change
from sdk.connection.changes.plan import plan_lines
from sdk.connection.changes.restore import INVENTORY, STARTUP, check_source, roll_back
from sdk.connection.deadline import Deadline
from sdk.connection.device_error import fail

BEFORE = "hostname lab1\nport 1\n one1 a\n many x\nport 2\nlist 1\n many a\n many b\n"
LINES = "port 1\n one1 b\n no many x\nmany ours\nlist 1\n many c"


def _changed() -> ModelDevice:
    device = ModelDevice(BEFORE)
    apply_plan(device, plan_lines(device.text(), LINES, DIALECT), deadline=Deadline(10))
    assert not are_same(DIALECT.read(device.text()), DIALECT.read(BEFORE))
    return device


def test_a_rollback_restores_the_configuration_of_the_inventory() -> None:
    device = _changed()
    rollback = roll_back(device, BEFORE, deadline=Deadline(10), lines=LINES)
    assert rollback.is_complete
    assert rollback.source == INVENTORY
    assert are_same(DIALECT.read(device.text()), DIALECT.read(BEFORE))


@pytest.mark.parametrize("stored", [None, "", " \n"])
def test_without_one_it_restores_the_startup_configuration(stored: str | None) -> None:
    device = _changed()
    device.startup = BEFORE
    rollback = roll_back(device, stored, deadline=Deadline(10), lines=LINES)
    assert rollback.is_complete
    assert rollback.source == STARTUP
    assert are_same(DIALECT.read(device.text()), DIALECT.read(BEFORE))


def test_without_either_nothing_is_sent() -> None:
    device = _changed()
    device.sent.clear()
    with pytest.raises(NothingToRestoreError):
        roll_back(device, None, deadline=Deadline(10), lines=LINES)
    assert device.sent == []


def test_what_somebody_else_has_changed_is_left_and_told() -> None:
    device = _changed()
    device.load("many of another\nport 2\n one1 of another\n")
    rollback = roll_back(device, BEFORE, deadline=Deadline(10), lines=LINES)
    assert not rollback.is_complete
    assert "+many of another" in rollback.foreign
    assert "ours" not in rollback.foreign
    wanted = DIALECT.read(BEFORE + "many of another\nport 2\n one1 of another\n")
    assert are_same(DIALECT.read(device.text()), wanted)


def test_a_change_that_never_was_made_is_not_rolled_back_however_old_the_inventory_is() -> None:
    device = ModelDevice(BEFORE)
    rollback = roll_back(device, BEFORE + "many old\n", deadline=Deadline(10), lines=LINES)
    assert device.sent == []
    assert rollback.restoration is None
    assert "-many old" in rollback.foreign
    assert not rollback.is_complete, "what differs may be the change, in another form"


def test_a_change_that_was_saved_has_nothing_to_restore_where_only_the_startup_configuration_is_there() -> (
    None
):
    device = _changed()
    device.startup = device.text()
    device.sent.clear()
    with pytest.raises(NothingToRestoreError, match="holds the change already"):
        roll_back(device, None, deadline=Deadline(10), lines=LINES)
    assert device.sent == []


def test_lines_that_the_inventory_held_before_the_run_have_nothing_to_be_taken_back() -> None:
    device = _changed()
    device.sent.clear()
    rollback = roll_back(device, device.text(), deadline=Deadline(10), lines=LINES)
    assert (rollback.is_complete, rollback.restoration, device.sent) == (True, None, [])
    assert str(rollback) == "The device shows nothing of the change, so nothing was sent."


def test_a_rollback_of_a_line_that_the_device_shows_in_another_form_fails_and_lists_it() -> None:
    device = ModelDevice(BEFORE)
    device.load("many user hidden\n")
    rollback = roll_back(device, BEFORE, deadline=Deadline(10), lines="many user plain")
    assert not rollback.is_complete
    assert "shows nothing of the change" not in str(rollback)
    assert "+many user hidden" in str(rollback)
    assert device.sent == []


def test_a_rollback_that_sends_nothing_does_not_say_that_the_change_was_taken_back() -> None:
    # As `switchport trunk allowed vlan add 30`, after which the device shows `10,20,30`.
    device = ModelDevice(BEFORE.replace("one1 a", "one1 a,b"))
    rollback = roll_back(device, BEFORE, deadline=Deadline(10), lines="port 1\n one1 add b")
    assert not rollback.is_complete
    assert device.sent == []
    assert "so nothing was sent" in str(rollback)
    assert "+ one1 a,b" in str(rollback)
    whole = roll_back(ModelDevice(BEFORE), BEFORE, deadline=Deadline(10))
    assert whole.is_complete
    assert str(whole) == "The device has its current_configuration already, so nothing was sent."


def test_a_rollback_after_which_a_line_stands_in_another_place_names_it() -> None:
    device = ModelDevice("port 1\n many b\n")
    rollback = roll_back(
        device, "port 1\n many a\n many b\n", deadline=Deadline(10), lines="port 1\n no many a"
    )
    assert rollback.is_complete
    assert "But some lines stand in another place than before: port 1 / many a." in str(rollback)


def test_half_a_change_is_rolled_back_as_well() -> None:
    device = ModelDevice(BEFORE)
    device.load("port 1\n many half\n")
    assert roll_back(
        device, BEFORE, deadline=Deadline(10), lines="port 1\n many half\n many other"
    ).is_complete
    assert are_same(DIALECT.read(device.text()), DIALECT.read(BEFORE))


@pytest.mark.parametrize(
    ("stored", "startup", "will_save", "said"),
    [
        ("hostname other\n", BEFORE, False, "is not what it runs"),
        (None, None, False, "can't be read with this login"),
        (None, "hostname other\n", False, "is not what it runs"),
        (None, BEFORE, True, "would overwrite"),
    ],
)
def test_a_run_finds_out_beforehand_that_there_is_nothing_to_roll_back_to(
    stored: str | None, startup: str | None, will_save: bool, said: str
) -> None:
    device = ModelDevice(BEFORE)
    device.startup = startup
    with pytest.raises(NothingToRestoreError, match=said):
        check_source(device, stored, device.text(), will_save=will_save, deadline=Deadline(10))


@pytest.mark.parametrize(
    ("cause", "last_line", "said"),
    [
        (
            Cause.REFUSED_COMMAND,
            "startup-config is not present",
            'and the device has no startup configuration: "startup-config is not present"',
        ),
        (
            Cause.REFUSED_COMMAND,
            "% Invalid input detected",
            'the device did not show its startup configuration to this login: "% Invalid input detected"',
        ),
        (
            Cause.UNREADABLE_ANSWER,
            None,
            "what the device shows as its startup configuration can't be read as one",
        ),
    ],
)
def test_why_the_startup_configuration_is_no_source_is_said_in_the_devices_words(
    monkeypatch: pytest.MonkeyPatch, cause: Cause, last_line: str | None, said: str
) -> None:
    device = ModelDevice(BEFORE)
    running = device.text()
    error = fail(
        cause, device.where, last_line=last_line, what="show startup-config", detail="no configuration"
    )

    def refuse(**_: object) -> str:
        raise error

    monkeypatch.setattr(device, "get_config", refuse)
    with pytest.raises(NothingToRestoreError, match=re.escape(said)):
        check_source(device, None, running, will_save=False, deadline=Deadline(10))


def test_a_run_finds_out_beforehand_from_where_it_could_be_rolled_back() -> None:
    device = ModelDevice(BEFORE)
    assert check_source(device, BEFORE, device.text(), will_save=True, deadline=Deadline(10)) == INVENTORY
    device.startup = BEFORE
    assert check_source(device, None, device.text(), will_save=False, deadline=Deadline(10)) == STARTUP


@given(configurations(), configurations())
@settings(max_examples=100, deadline=None)
def test_a_change_alone_is_taken_out_without_a_trace(base: Tree, changed: Tree) -> None:
    assert without_change(changed, base, changed, DIALECT) == base
    assert is_visible(changed, base, changed) != are_same(base, changed)
    assert not is_visible(base, base, changed)


@given(configurations(), configurations())
@settings(max_examples=100, deadline=None)
def test_what_others_have_added_stays_when_a_change_is_taken_out(base: Tree, changed: Tree) -> None:
    foreign = Line("many of another")
    now = (*changed, foreign)
    assert without_change(now, base, changed, DIALECT) == (*base, foreign)
    assert text_of(now)


@pytest.mark.parametrize(
    ("ours", "sent"),
    [("many ours", "no many ours"), ("list 1\n many ours", "list 1 / no many ours")],
)
def test_a_rollback_leaves_what_others_have_put_into_an_ordered_list_in_its_place(
    ours: str, sent: str
) -> None:
    device = ModelDevice("list 1\n many of another\n many a\n many b\n")
    device.load(ours)
    rollback = roll_back(device, "list 1\n many a\n many b\n", deadline=Deadline(10), lines=ours)
    assert device.sent == [sent]
    assert device.root.text() == "list 1\n many of another\n many a\n many b\n"
    assert "+ many of another" in rollback.foreign


def test_an_ordered_list_that_others_have_put_in_another_order_keeps_it_and_the_rollback_tells() -> None:
    device = ModelDevice("list 1\n many b\n many a\nmany ours\n")
    rollback = roll_back(device, "list 1\n many a\n many b\n", deadline=Deadline(10), lines="many ours")
    assert device.sent == ["no many ours"]
    assert not rollback.is_complete
    assert "many b" in rollback.foreign


@pytest.mark.parametrize(
    ("base", "changed", "now", "wanted"),
    [
        ("a b c", "a c", "x a c", "x a b c"),  # what the change removed is back behind what stood before it
        ("a b", "ours a b", "ours a x b", "a x b"),
        ("a b", "a b ours", "b x a ours", "b x a"),  # others have made another order
        ("a b", "b a", "b a x", "a b x"),  # the change has
        ("a b c", "a c", "c x a", "c x a b"),
        ("a b", "a b ours", "x ours y", "x y"),  # others have removed all that was there
    ],
)
def test_a_change_is_taken_out_of_an_ordered_list_and_the_lines_of_others_keep_their_places(
    base: str, changed: str, now: str, wanted: str
) -> None:
    assert without_change(_list(now), _list(base), _list(changed), DIALECT) == _list(wanted)


def _list(texts: str) -> Tree:
    return (Line("list 1", tuple(Line(text) for text in texts.split())),)


def test_an_undo_stops_the_timer_and_restores() -> None:
    device = ModelDevice(BEFORE)
    plan = plan_lines(device.text(), LINES, DIALECT)
    applied = apply_plan(device, plan, deadline=Deadline(10), confirm_seconds=60)
    assert undo(device, plan, applied, deadline=Deadline(10)).is_restored
    assert device.timer is None
    assert are_same(DIALECT.read(device.text()), DIALECT.read(BEFORE))


def test_an_undo_that_leaves_something_fails_with_a_list_and_leaves_the_timer_running() -> None:
    device = ModelDevice(BEFORE)
    plan = plan_lines(device.text(), "many stuck", DIALECT)
    applied = apply_plan(device, plan, deadline=Deadline(10), confirm_seconds=60)
    device.refuse = re.compile("no many stuck")
    with pytest.raises(NotRestoredError, match=r"-many stuck.*A timer runs") as caught:
        undo(device, plan, applied, deadline=Deadline(10))
    assert device.timer is not None
    assert caught.value.restoration is not None
    assert "% Unknown command" in caught.value.restoration.refused[0][1]


def test_a_change_that_is_confirmed_stays_and_one_that_is_confirmed_too_late_is_an_error() -> None:
    device = ModelDevice(BEFORE)
    plan = plan_lines(device.text(), LINES, DIALECT)
    applied = apply_plan(device, plan, deadline=Deadline(10), confirm_seconds=60)
    confirm(device, applied, deadline=Deadline(10))
    assert device.timer is None
    plan = plan_lines(device.text(), "many late", DIALECT)
    applied = apply_plan(device, plan, deadline=Deadline(10), confirm_seconds=60)
    device.run_out()
    with pytest.raises(ConfirmedTooLateError, match="60 s has run out"):
        confirm(device, applied, deadline=Deadline(10))
    assert "many late" not in device.text()


def test_what_others_have_changed_is_told_without_secrets_and_not_endlessly() -> None:
    others = "tacacs server T\n key never-to-be-seen-1\n" + "".join(f"many {each}\n" for each in range(20))
    text = str(roll_back(ModelDevice(BEFORE + others), BEFORE, deadline=Deadline(10), lines=LINES))
    assert "+tacacs server T; + key ***; +many 0; " in text
    assert text.endswith("; and 12 more")
