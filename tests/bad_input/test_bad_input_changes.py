"""Whatever a block does to the entities of its context: sent, warned of, or a failure that names the field."""

from pathlib import Path

import pytest

from sdk.testing import BlockOutcome, BlockRunner

SOURCE = Path(__file__).with_name("bad_blocks")

SENT = {
    "set": ("facts", {"peers": ["r1", "r2"]}),
    "surrogate": ("hostname", "half \ufffd"),
}

WARNED = {
    "read only": "device 1: interface_count is read-only. The change is not sent",
    "twice": "device 1 is twice in context.devices.",
}

REFUSED = {
    "nan": ": device 1: facts.load can't be written as JSON: nan is no JSON number",
    "object": ": device 1: facts.seen[0] can't be written as JSON: object is no type that JSON has",
    "circle": ": device 1: facts.again.again",
    "no list": ": context.devices was set to a NoneType. Keep it a list.",
    "attribute gone": ": context.devices was set to a NoneType. Keep it a list.",
    "no entity": ": context.devices[1] is a dict. Append entities only, such as sdk.Device.",
    "none": ": context.devices[1] is a NoneType. Append entities only",
    "another": " raised ContextError: context.device can't become another device",
}

RAISED = {
    "wrong type": "ValidationError: DeviceEntity: hostname: Input should be a valid string (",
    "id": "ValidationError: DeviceEntity: id: Field is frozen (",
    "unknown field": "AttributeError: DeviceEntity has no field 'hostnam'. Its fields: id, created_at",
}


def run(block_runner: BlockRunner, which: str) -> BlockOutcome:
    context = {"devices": [{"id": 1, "hostname": "r1", "facts": {}, "interfaceCount": 3}]}
    return block_runner.run("bad/change:1.0.0", {"which": which}, context, source=SOURCE)


@pytest.mark.parametrize("which", SENT)
def test_a_change_with_a_sensible_form_in_json_is_sent_in_it(block_runner: BlockRunner, which: str) -> None:
    outcome = run(block_runner, which)
    path, value = SENT[which]
    assert outcome.db_updates == [
        {"operation": "patch", "entity": "device", "id": 1, "path": path, "value": value}
    ]


@pytest.mark.parametrize("which", WARNED)
def test_a_change_that_is_not_sent_is_warned_of(block_runner: BlockRunner, which: str) -> None:
    outcome = run(block_runner, which)
    assert (outcome.success, outcome.db_updates) == (True, None)
    (line,) = outcome.logs
    assert line.level == 30
    assert line.message.startswith(WARNED[which])


@pytest.mark.parametrize("which", REFUSED)
def test_a_change_that_can_not_be_sent_is_a_failure_that_names_the_field(
    block_runner: BlockRunner, which: str
) -> None:
    outcome = run(block_runner, which)
    assert (outcome.success, outcome.cause, outcome.retryable) == (False, "block_failed", False)
    assert outcome.message.startswith(f"bad/change:1.0.0{REFUSED[which]}")
    assert outcome.db_updates is None


@pytest.mark.parametrize("which", RAISED)
def test_a_change_that_is_refused_on_the_spot_is_told_with_the_author_s_line(
    block_runner: BlockRunner, which: str
) -> None:
    outcome = run(block_runner, which)
    assert outcome.cause == "block_raised"
    assert outcome.message.startswith(f"bad/change:1.0.0 raised {RAISED[which]}")
    assert f"({SOURCE / 'changes.py'}:" in outcome.message
    assert "/pydantic/" not in outcome.logs[0].message
