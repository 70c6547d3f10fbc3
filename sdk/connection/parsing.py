"""Texts of devices as data: JSON where the device writes it, else the templates of `ntc_templates`.

Pure functions. What nothing recognised is None. An empty list is returned only where the text itself says that there
is nothing: an author who counts rows must be able to believe the number.
"""

from __future__ import annotations

import json
import re
from typing import Any

import textfsm  # type: ignore[import-untyped]  # ships no types
from ntc_templates.parse import ParsingException, parse_output  # type: ignore[import-untyped]  # ships no types
from ntc_templates.parse import __file__ as _ntc_file
from textfsm import clitable

Rows = list[dict[str, Any]]

# Where netmiko's name of a platform is not the templates' name.
_TEMPLATES_OF = {
    "aruba_procurve": "hp_procurve",
    "cisco_wlc": "cisco_wlc_ssh",
    "cisco_xe": "cisco_ios",
    "dell_os9": "dell_force10",
    "huawei": "huawei_vrp",
    "juniper": "juniper_junos",
    "nokia_sros": "alcatel_sros",
}

# A table that says itself how many rows it has, and has none.
_SAYS_ZERO = re.compile(r"^\s*Total (cdp |lldp )?entries displayed\s*:\s*0\s*$", re.IGNORECASE | re.MULTILINE)


def parse_json(output: str) -> Any:
    """Return the JSON object or list that an output consists of, None for any other text."""
    text = output.strip()
    if not text.startswith(("{", "[")):
        return None
    try:
        return json.loads(text)
    except ValueError:
        return None


def parse_json_objects(output: str) -> list[dict[str, Any]] | None:
    """Return the JSON objects that an output consists of, one after another; None for any other text."""
    found: list[dict[str, Any]] = []
    text = output.strip()
    while text:
        try:
            value, end = json.JSONDecoder().raw_decode(text)
        except ValueError:
            return None
        if not isinstance(value, dict):
            return None
        found.append(value)
        text = text[end:].lstrip()
    return found or None


def parse_rows(netmiko_type: str, command: str, output: str) -> Rows | None:
    """Return the rows that the template for a platform's command finds in its output.

    None without a template, for a text that the template does not recognise, and for no text at all. A template
    finds no rows in a foreign text either, so `[]` comes only where every line is known to it, or where the device
    counts zero entries itself.
    """
    if not output.strip():
        return None
    try:
        return _parse(_TEMPLATES_OF.get(netmiko_type, netmiko_type), command, output)
    except (ParsingException, clitable.CliTableError, textfsm.TextFSMError):
        return None


def _parse(platform: str, command: str, output: str) -> Rows | None:
    index: Any = clitable.CliTable("index", _directory()).index
    number = index.GetRowMatch({"Command": command, "Platform": platform})
    if not number:
        return None
    names = str(index.index[number]["Template"])
    if ":" in names:  # several templates side by side: the library joins what they find
        return parse_output(platform=platform, command=command, data=output) or None
    with open(f"{_directory()}/{names}", encoding="utf-8") as file:
        parser = _WatchedParser(file)
    rows = [{name.lower(): value for name, value in row.items()} for row in parser.ParseTextToDicts(output)]
    says_nothing = parser.knew_every_line or _SAYS_ZERO.search(output) is not None
    return rows if rows or says_nothing else None


class _WatchedParser(textfsm.TextFSM):  # type: ignore[misc]  # ships no types
    """Notices whether a line came that no rule of the template knows."""

    knew_every_line = True

    def _CheckLine(self, line: str) -> None:  # noqa: N802  # the library's name
        self._knew_line = not line.strip()
        super()._CheckLine(line)
        self.knew_every_line = self.knew_every_line and self._knew_line

    def _CheckRule(self, rule: Any, line: str) -> Any:  # noqa: N802  # the library's name, meant to be overridden
        matched = super()._CheckRule(rule, line)
        if matched:
            self._knew_line = True
        return matched


def _directory() -> str:
    return str(_ntc_file).rpartition("/")[0] + "/templates"
