"""neops_base/configure: changes on an emulated IOS over real SSH, and what a failed one says."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from blocks.devices.configuration_template import TemplateFailedError, render
from blocks.devices.configure import Configure
from blocks.devices.configure_request import ConfigureParams
from sdk import AcquireParams, FunctionBlockRollbackResult, WorkflowContext
from sdk.connection.platforms.ios_configuration import IOS
from sdk.testing.devices import EmulatedIos, Faults

PASSWORD = "never-to-be-seen-1"
LINES = ["interface GigabitEthernet0/2", " description by a change", "ntp server 192.0.2.77"]


def emulated(faults: Faults | None = None, **settings: Any) -> EmulatedIos:
    return EmulatedIos("admin", PASSWORD, "r1", faults=faults, **settings)


def job(
    device: EmulatedIos, stored: str | None = "running", **values: Any
) -> tuple[ConfigureParams, WorkflowContext]:
    """Parameters and context of a job; the inventory knows the configuration that the device has now."""
    context = device.as_context()
    text = device.device.running_config() if stored == "running" else stored
    context["devices"][0].update({"currentConfiguration": text, "facts": {"site": "basel"}})
    if "template" not in values:
        values.setdefault("lines", LINES)
    params = ConfigureParams(port=device.port, **values)
    return params, WorkflowContext.from_job(context, "device", 1)


async def run(params: ConfigureParams, context: WorkflowContext) -> Any:
    """As a job has it: an error becomes a failed result. Any, as its data may be None, which no test asks first."""
    return await Configure().execute_function_block(params, context)


async def configure(device: EmulatedIos, stored: str | None = "running", **values: Any) -> Any:
    return await run(*job(device, stored, **values))


async def test_a_dry_run_shows_the_difference_and_changes_nothing() -> None:
    async with emulated() as device:
        before = device.device.running_config()
        result = await configure(device, stored=None, dry_run=True)
        assert device.device.running_config() == before
    assert result.success, result.message
    assert not result.data.changed
    assert "+ description by a change" in result.data.diff
    assert result.data.commands == [
        "interface GigabitEthernet0/2 / description by a change",
        "ntp server 192.0.2.77",
    ]


async def test_a_change_is_made_saved_and_written_into_the_inventory() -> None:
    async with emulated() as device:
        before = device.device.running_config()
        params, context = job(device, save=True)
        result = await run(params, context)
        after = device.device.running_config()
        assert device.device.startup_config == after
    assert result.success, result.message
    assert (result.data.changed, result.data.saved) == (True, True)
    assert result.data.rollback_source == "current_configuration"
    updates = {each["path"].strip("/"): each["value"] for each in context.compute_db_updates()}
    assert IOS.read(updates["last_configuration"]) == IOS.read(before)
    assert IOS.read(updates["current_configuration"]) == IOS.read(after)


async def test_lines_that_are_there_are_not_sent_again() -> None:
    async with emulated() as device:
        assert (await configure(device)).data.changed
        again = await configure(device)
    assert again.success
    assert (again.data.changed, again.data.commands) == (False, [])


async def test_a_line_that_the_device_keeps_without_a_word_is_named() -> None:
    async with emulated(Faults(outputs={"no hostname r1": ""})) as device:
        result = await configure(device, lines=["no hostname r1"])
    assert result.success, result.message
    assert result.data.stayed == ["hostname r1"]
    assert "1 line(s) were to go, and the device still has them: hostname r1" in result.message


async def test_a_template_gets_variables_and_the_device() -> None:
    template = (
        "{% for vlan in vlans %}\nvlan {{ vlan }}\n name {{ device.facts.site }}-{{ vlan }}\n{% endfor %}\n"
    )
    async with emulated() as device:
        result = await configure(device, template=template, variables={"vlans": [10, 20]})
        assert " name basel-20" in device.device.running_config()
    assert result.data.commands == [
        "vlan 10",
        "vlan 10 / name basel-10",
        "vlan 20",
        "vlan 20 / name basel-20",
    ]


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("hostname x\nntp server {{ ntp }}", "Line 2 of the template: 'ntp' is undefined"),
        ("hostname x\n\n{% if %}\n", "Line 3 of the template: Expected an expression"),
        ("hostname {{ ''.__class__.__mro__ }}", "Line 1 of the template: access to attribute '__class__'"),
        ("a\n{{ 1 // 0 }}", "Line 2 of the template: ZeroDivisionError was raised"),
        ("a\n{{ 'x' * 10 ** 10 }}", "Line 2 of the template: '*'"),
        ("{{ device.password }}", "Line 1 of the template: 'dict object' has no attribute 'password'"),
    ],
)
async def test_a_bad_template_is_one_failure_that_names_the_line_and_nothing_is_sent(
    template: str, said: str
) -> None:
    async with emulated() as device:
        before = device.device.running_config()
        result = await configure(device, template=template)
        assert device.device.running_config() == before
    assert not result.success
    assert said in result.message
    assert result.retryable is False


def test_a_template_does_not_grow_over_its_limit() -> None:
    with pytest.raises(TemplateFailedError, match="more than 1,000,000 characters"):
        render("{% for i in range(9999) %}{% for j in range(9999) %}{{ i }}{% endfor %}{% endfor %}", {})


async def test_a_bad_template_is_found_before_the_run_starts() -> None:
    raw = {"template": "a\n{% endif %}"}
    partial = ConfigureParams.model_construct(template=raw["template"])
    params = AcquireParams(partial=partial, raw=raw, unresolved=frozenset())
    result = await Configure().acquire_function_block(params)
    assert not result.success
    assert "Line 2 of the template" in result.message


async def test_a_refused_line_is_one_failure_and_the_device_is_as_before() -> None:
    async with emulated() as device:
        before = device.device.running_config()
        result = await configure(device, lines=[*LINES, "frobnicate 7", "hostname never"])
        assert device.device.running_config() == before
    assert (result.success, result.retryable) == (False, False)
    assert "line 3 of 4, 'frobnicate 7'" in result.message
    assert "Its configuration is as it was before" in result.message


@pytest.mark.parametrize(
    ("stored", "said"),
    [
        (None, 'the device has no startup configuration: "startup-config is not present"'),
        ("hostname old\n", "is not what it runs"),
    ],
)
async def test_without_something_to_roll_back_to_nothing_is_changed_unless_that_is_allowed(
    stored: str | None, said: str
) -> None:
    async with emulated() as device:
        before = device.device.running_config()
        result = await configure(device, stored)
        assert device.device.running_config() == before
        allowed = await configure(device, stored, require_rollback=False)
        assert device.device.running_config() != before
    assert allowed.success, allowed.message
    assert not result.success
    assert said in result.message
    assert 'give "require_rollback": false' in result.message


async def test_a_change_is_confirmed_by_a_new_login() -> None:
    async with emulated() as device:
        result = await configure(device, confirm_seconds=60)
        assert device.device.revert_timer is None
        assert "by a change" in device.device.running_config()
    assert result.success, result.message


async def test_a_change_after_which_nobody_can_log_in_is_taken_back() -> None:
    async with emulated() as device:
        before = device.device.running_config()
        params, context = job(device, confirm_seconds=60)
        # As an access list on the lines would have it: who is in stays in.
        device.device.on_change = lambda: setattr(device, "_check_password", lambda username, password: False)
        result = await run(params, context)
        assert device.device.running_config() == before
        assert device.device.revert_timer is None
    assert not result.success
    assert "no new login was possible" in result.message
    assert "The change was taken back" in result.message
    assert context.compute_db_updates() == []


async def test_a_change_whose_confirmation_is_refused_is_a_failure_that_says_that_the_timer_goes_on() -> None:
    async with emulated(Faults(outputs={"configure confirm": "% Authorization failed."})) as device:
        result = await configure(device, confirm_seconds=60)
        assert device.device.revert_timer is not None
    assert (result.success, result.retryable) == (False, False)
    assert "refused 'configure confirm'" in result.message
    assert result.message.count("The change was made, and not confirmed. A revert timer runs") == 1


async def test_a_change_that_was_taken_back_and_whose_timer_goes_on_is_not_called_in_force() -> None:
    async with emulated(Faults(outputs={"configure confirm": "% Authorization failed."})) as device:
        before = device.device.running_config()
        params, context = job(device, confirm_seconds=60)
        device.device.on_change = lambda: setattr(device, "_check_password", lambda username, password: False)
        result = await run(params, context)
        assert device.device.running_config() == before
        assert device.device.revert_timer is not None
    assert not result.success
    assert "was given its earlier configuration back. But the device refused to stop its" in result.message
    assert result.message.count("A revert timer runs on the device") == 1
    assert "could not be taken back" not in result.message


async def test_a_session_that_is_lost_between_two_lines_is_one_failure_that_says_what_is_in_force() -> None:
    async with emulated(Faults(drop_mid_command="ntp server 192.0.2.77")) as device:
        before = device.device.running_config()
        result = await configure(device)
        assert device.device.running_config() == before, "another session took it back"
    assert (result.success, result.retryable) == (False, False)
    assert "1 of 2 lines were in force, of line 2 ('ntp server 192.0.2.77') it is not known" in result.message
    assert "Another session took the lines back. Its configuration is as it was before." in result.message


async def roll_back(params: ConfigureParams, context: WorkflowContext) -> FunctionBlockRollbackResult:
    return await Configure().rollback_function_block(params, context)


async def test_a_rollback_knows_neither_run_nor_result_and_restores_and_saves() -> None:
    async with emulated() as device:
        before = device.device.running_config()
        params, context = job(device, save=True)
        again = WorkflowContext.from_job(json.loads(json.dumps(device.as_context())), "device", 1)
        assert again.device is not None
        again.device.current_configuration = before
        assert (await run(params, context)).success
        result = await roll_back(params, again)
        assert device.device.running_config() == before
        assert device.device.startup_config == before
    assert result.success, result.message


async def test_a_rollback_of_what_was_never_done_sends_nothing_and_one_of_half_of_it_takes_that_back() -> (
    None
):
    async with emulated() as device:
        before = device.device.running_config()
        params, context = job(device)
        never = await roll_back(params, context)
        assert device.device.running_config() == before
        await run(*job(device, lines=LINES[:2]))
        half = await roll_back(params, context)
        assert device.device.running_config() == before
    assert never.success
    assert "The device shows nothing of the change" in never.message
    assert half.success, half.message


async def test_a_rollback_of_a_change_that_was_saved_over_its_only_source_is_a_failure() -> None:
    async with emulated() as device:
        params, context = job(device, stored=None, save=True, require_rollback=False)
        _, fresh = job(device, stored=None)
        assert (await run(params, context)).success
        result = await roll_back(params, fresh)
        assert "by a change" in device.device.running_config()
    assert not result.success
    assert "its startup configuration holds the change already" in result.message


async def test_a_rollback_leaves_the_work_of_others_and_says_so() -> None:
    async with emulated() as device:
        params, context = job(device)
        await run(*job(device))
        device.device.configuration.lines.append("logging host 192.0.2.9")
        result = await roll_back(params, context)
        assert "logging host 192.0.2.9" in device.device.running_config()
        assert "by a change" not in device.device.running_config()
    assert not result.success
    assert "+logging host 192.0.2.9" in result.message


async def test_secrets_in_lines_are_in_no_message_and_no_result() -> None:
    async with emulated() as device:
        result = await configure(device, lines=["snmp-server community hunter2 RO"], dry_run=True)
        refused = await configure(device, lines=["neighbor 192.0.2.1 password hunter2"])
    assert "snmp-server community *** RO" in result.data.diff
    assert "hunter2" not in result.model_dump_json() + refused.model_dump_json()
    assert not refused.success


@pytest.mark.parametrize("values", [{}, {"lines": ["a"], "template": "b"}])
def test_either_lines_or_a_template_must_be_given(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="either"):
        ConfigureParams(**values)
