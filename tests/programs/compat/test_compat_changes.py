"""Changes of devices behind the alias's proxies: lines as a person types them, replaced configurations, refusals."""

import importlib
from typing import Any

import pytest

from sdk.compat.finder import install_alias
from sdk.connection.changes.lines import TypedLine
from sdk.connection.changes.plan import Plan
from sdk.connection.platforms.ios_configuration import IOS
from sdk.testing.devices import EmulatedIos
from tests.programs.compat.test_compat_own_plugins import of, on_ios, on_router

install_alias()

KEYS = ["key chain K", "key 1", "key-string one", "exit", "key 2", "key-string two"]
AS_PRINTED = ["key chain K", " key 1", "  key-string one", " key 2", "  key-string two"]


def plan_given(lines: list[str]) -> Plan:
    plan: Plan = importlib.import_module("neops_worker_sdk.connection.plugins.own_answers").plan_given(
        "", lines, IOS
    )
    return plan


def changed_lines(diff: str) -> list[str]:
    return [line for line in diff.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")]


async def typed_on_ios(lines: list[str]) -> tuple[list[str], str, list[str]]:
    """What a list of lines has changed, the configuration after it, and what was typed for it."""

    def changed(proxy: Any, router: EmulatedIos) -> tuple[list[str], str, list[str]]:
        router.typed.clear()
        diff = proxy.send_configs(lines).diff
        typed = [line for line in router.typed if not line.startswith("show ")]
        return changed_lines(diff), router.device.running_config(), typed

    return await on_router(changed)


async def test_lines_that_are_not_indented_are_typed_in_their_order_and_no_exit_is_added_between_them() -> (
    None
):
    lines = [*KEYS, "interface Loopback7", "description x", "exit", "exit", "hostname r9"]
    diff, running, typed = await typed_on_ios(lines)
    assert "\n".join(AS_PRINTED) in running
    assert "interface Loopback7\n description x\n" in running
    assert "hostname r9" in running
    assert {"+key chain K", "+  key-string two", "+hostname r9"} <= set(diff)
    last_exit = lines.index("hostname r9") - 1
    assert typed == [
        "configure terminal",
        *(line for number, line in enumerate(lines) if number != last_exit),
        "end",
    ], "an exit from the outermost mode is not typed: what follows is configuration too"


async def test_what_follows_an_end_is_configuration_too() -> None:
    _, running, _ = await typed_on_ios(["interface Loopback7", "description x", "end", "hostname r9", "end"])
    assert "interface Loopback7\n description x\n" in running
    assert "hostname r9" in running


async def test_of_a_refused_line_in_a_nested_section_nothing_is_left() -> None:
    def refused(proxy: Any, router: EmulatedIos) -> tuple[str, str, str]:
        before = router.device.running_config()
        with pytest.raises(of("connection.exceptions").NeopsConnectionError) as caught:
            proxy.send_configs([*KEYS, "nonsense"])
        return str(caught.value), before, router.device.running_config()

    message, before, after = await on_router(refused)
    assert "refused line 7 of 7, 'nonsense'" in message
    assert after == before


async def test_what_leads_out_of_the_configuration_mode_is_refused_as_the_next_line_would_be_a_command() -> (
    None
):
    def refused(proxy: Any, router: EmulatedIos) -> tuple[str, list[str]]:
        with pytest.raises(of("connection.exceptions").NeopsConnectionError) as caught:
            proxy.send_configs(["hostname r9", "ex", "write memory"])
        return str(caught.value), router.typed

    message, typed = await on_router(refused)
    assert "it leaves the configuration mode" in message
    assert "write memory" not in typed


@pytest.mark.parametrize(
    ("lines", "is_typed"),
    [
        (KEYS, True),
        (AS_PRINTED, False),
        (["    interface Lo7", "    description x", "! a comment"], True),
        (["interface Lo7\n description x"], False),
        (["banner motd ~", "  some art", "~", "hostname r9"], True),
    ],
)
def test_lines_are_as_a_person_types_them_where_none_is_indented_below_another(
    lines: list[str], is_typed: bool
) -> None:
    commands = plan_given(lines).commands
    assert commands
    assert all(isinstance(line, TypedLine) for line in commands) is is_typed


@pytest.mark.parametrize("lines", [[], ["", "! a comment"]])
async def test_no_lines_are_no_change(lines: list[str]) -> None:
    def changed(proxy: Any, router: EmulatedIos) -> tuple[str, str, bool]:
        router.typed.clear()
        diffs = proxy.send_configs(lines).diff, proxy.merge_config("\n".join(lines)).diff
        return (*diffs, "configure terminal" in router.typed)

    assert await on_router(changed) == ("", "", False)


async def test_a_line_that_can_not_be_sent_is_named_in_the_error_of_a_block() -> None:
    def refused(proxy: Any) -> str:
        with pytest.raises(of("connection.exceptions").ConnectionCreationError) as caught:
            proxy.send_configs(["hostname r9", "do write memory"])
        return str(caught.value)

    assert "Line 'do write memory': it is no line of configuration" in await on_ios(refused)


async def test_a_configuration_that_was_not_taken_as_a_whole_is_an_error_that_says_what_is_missing() -> None:
    def replaced(proxy: Any) -> tuple[str, str | None]:
        other = proxy.get_config().running.replace("hostname r1", "hostname r9\nfrobnicate 7")
        with pytest.raises(of("connection.exceptions").NeopsConnectionError) as caught:
            proxy.replace_running_config(other)
        return str(caught.value), proxy.get_config().startup

    message, startup = await on_ios(replaced)
    assert "The configuration was not taken over as a whole. What is missing (+)" in message
    assert "+frobnicate 7" in message
    assert startup == "", "what is half done is not saved"


async def test_a_replaced_configuration_of_ios_is_saved_as_the_package_saves_it() -> None:
    def replaced(proxy: Any) -> tuple[str, str]:
        proxy.replace_running_config(proxy.get_config().running.replace("hostname r1", "hostname r9"))
        after = proxy.get_config()
        return after.running, after.startup

    running, startup = await on_ios(replaced)
    assert "hostname r9" in running
    assert "hostname r9" in startup
