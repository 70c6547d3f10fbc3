"""Converts texts of devices to data: JSON if the device writes it, otherwise by the templates of `ntc_templates`.

Pure functions. The result is None if nothing recognised the text. It is an empty list only if the text itself says that
there is nothing: an author who counts rows must be able to trust the number.
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

# Platforms for which the templates use another name than netmiko.
_TEMPLATES_OF = {
    "aruba_procurve": "hp_procurve",
    "cisco_wlc": "cisco_wlc_ssh",
    "cisco_xe": "cisco_ios",
    "dell_os9": "dell_force10",
    "huawei": "huawei_vrp",
    "juniper": "juniper_junos",
    "nokia_sros": "alcatel_sros",
}

# A table that gives its own number of rows, and has none.
_SAYS_ZERO = re.compile(r"^\s*Total (cdp |lldp )?entries displayed\s*:\s*0\s*$", re.IGNORECASE | re.MULTILINE)


def parse_json(output: str) -> Any:
    """Return the JSON object or list that makes up the whole output, None for any other text."""
    text = output.strip()
    if not text.startswith(("{", "[")):
        return None
    try:
        return json.loads(text)
    except ValueError:
        return None


def parse_json_objects(output: str) -> list[dict[str, Any]] | None:
    """Return the JSON objects that make up the whole output, one after another; None for any other text."""
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
    also finds no rows in a foreign text. So `[]` comes only if the template knows every line, or if the device itself
    counts zero entries.
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
    if ":" in names:  # several templates together: the library joins their rows
        return parse_output(platform=platform, command=command, data=output) or None
    with open(f"{_directory()}/{names}", encoding="utf-8") as file:
        parser = _WatchedParser(file)
    rows = [{name.lower(): value for name, value in row.items()} for row in parser.ParseTextToDicts(output)]
    says_nothing = parser.knew_every_line or _SAYS_ZERO.search(output) is not None
    return rows if rows or says_nothing else None


class _WatchedParser(textfsm.TextFSM):  # type: ignore[misc]  # ships no types
    """Notices a line that no rule of the template knows."""

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
