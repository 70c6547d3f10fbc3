"""The page of the worker's settings, from the one definition that flags and environment are read by."""

from __future__ import annotations

from docs.tools.setting_text import cell, default_of, flag_of
from supervisor.settings.groups import SETTING_GROUPS
from supervisor.settings.legacy_environment import LEGACY_NAMES
from supervisor.settings.run_settings import ENV_PREFIX, DaemonSettings
from supervisor.worker.reload import RELOADED

SETTINGS_FILE = "settings.md"

_HEAD = """\
# Settings of the worker

<!-- Written by `make docs` from `supervisor/settings/run_settings.py`; changes here are lost. -->

Each setting can be a flag, a variable of the environment, or a line of the file `.env`: [how they are
given](../how-to/settings.md). If no default is shown, the setting is off or empty. A setting without
*reload* needs a restart ([what a reload can change](../how-to/stop-and-reload.md#what-a-reload-can-change)).
"""
_TABLE_HEAD = """\
| flag | variable | default | | |
|---|---|---|---|---|
"""


def render_settings() -> str:
    """Return the page as Markdown."""
    old_names = {setting: name for name, setting in LEGACY_NAMES.items()}

    def row(name: str) -> str:
        field = DaemonSettings.model_fields[name]
        also = f", also `{old_names[name]}`" if name in old_names else ""
        text = (field.description or "").rstrip()
        return (
            f"| {flag_of(name, field)} | `{ENV_PREFIX}{name.upper()}`{also} | {default_of(field)} "
            f"| {'reload' if name in RELOADED else ''} | {cell(text)} |\n"
        )

    tables = [
        f"\n## {title}\n\n{_TABLE_HEAD}" + "".join(map(row, names)) for title, names in SETTING_GROUPS.items()
    ]
    return _HEAD + "".join(tables)
