"""What becomes rows is what a template knows; what it does not know is None, never an empty list."""

import pytest

from sdk.connection.parsing import parse_json, parse_rows
from tests.sdk.connection.platforms.outputs import output


@pytest.mark.parametrize(
    ("command", "text"),
    [
        ("show ip route", "show_ip_route"),
        ("show version", "show_version"),
        ("show interfaces", "show_interface"),
        ("show ip interface brief", "show_interface_brief"),
        ("show running-config", "show_running_config"),
    ],
)
def test_what_frr_says_is_not_read_with_a_template_of_ios(command: str, text: str) -> None:
    assert parse_rows("cisco_ios", command, output("frr", text)) is None


def test_a_foreign_text_with_a_line_that_the_template_knows_is_no_empty_table() -> None:
    text = "Interface eth1 is up, line protocol is up\n  Description: to r2\n"

    assert parse_rows("cisco_ios", "show interfaces", text) is None


def test_no_text_at_all_is_no_empty_table() -> None:
    assert parse_rows("cisco_ios", "show interfaces", "\n\n") is None


def test_a_table_that_counts_zero_entries_is_empty() -> None:
    text = output("cisco_ios", "show_lldp_neighbors_detail_none")

    assert parse_rows("cisco_ios", "show lldp neighbors detail", text) == []


@pytest.mark.parametrize("platform", ["cisco_ios", "cisco_xe"])
def test_rows_have_the_fields_of_the_template(platform: str) -> None:
    rows = parse_rows(platform, "show ip interface brief", output("cisco_ios", "show_ip_interface_brief"))

    assert rows is not None
    assert rows[0] == {
        "interface": "GigabitEthernet0/0", "ip_address": "192.0.2.1", "status": "up", "proto": "up"
    }  # fmt: skip
    assert len(rows) == 2


def test_a_command_without_a_template_is_none() -> None:
    assert parse_rows("cisco_ios", "show nonsense", "some text") is None
    assert parse_rows("no_such_platform", "show version", "some text") is None


def test_several_templates_for_one_command_are_joined() -> None:
    text = (
        "Switch/Stack Mac Address : 0200.5e00.5341\n"
        "                                           H/W   Current\n"
        "Switch#  Role   Mac Address     Priority Version  State \n"
        "----------------------------------------------------------\n"
        "*1       Master 0200.5e00.5341     15     4       Ready\n"
        "\n"
        "         Stack Port Status             Neighbors     \n"
        "Switch#  Port 1     Port 2           Port 1   Port 2 \n"
        "--------------------------------------------------------\n"
        "  1        Ok         Ok                2        3 \n"
    )

    rows = parse_rows("cisco_ios", "show switch detail", text)

    assert rows is not None
    assert [row["switch"] for row in rows] == ["1"]
    assert parse_rows("cisco_ios", "show switch detail", "% no stack here") is None


@pytest.mark.parametrize("text", ["", "{", "r1# {}", "null", "5", '{"a": 1} and more'])
def test_json_is_all_of_the_output_or_nothing(text: str) -> None:
    assert parse_json(text) is None


def test_an_empty_json_object_is_what_the_device_says() -> None:
    assert parse_json("\n{}\n") == {}
