"""The example of the environment file that is shipped with the unit: every setting with its default."""

import textwrap

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from supervisor.settings.groups import SETTING_GROUPS
from supervisor.settings.run_settings import ENV_PREFIX, DaemonSettings

EXAMPLE_FILE = "neops-supervisor.env.example"

_HEAD = """\
# Settings of the neops worker, for systemd: copy this to /etc/neops-supervisor.env, owned by root, mode 0640.
#
# Each setting is shown with its default; take the # away from what you change. Lists are separated by commas.
# Every installation sets NEOPS_ENGINE_URL, and most set NEOPS_FUNCTION_BLOCKS.
# A comment has a line of its own: systemd takes one behind a value for a part of the value.
# The worker reads the file when it starts: systemctl restart neops-supervisor.
"""
_COMES_FROM_SYSTEMD = {
    "state_dir": "Under systemd this is the unit's StateDirectory, /var/lib/neops-supervisor: leave it."
}


def render_example() -> str:
    """Return the whole file."""
    parts = [_HEAD]
    for title, names in SETTING_GROUPS.items():
        parts += [
            f"# --- {title} ---\n",
            *(_entry(name, DaemonSettings.model_fields[name]) for name in names),
        ]
    return "\n".join(parts)


def _entry(name: str, field: FieldInfo) -> str:
    text = field.description or ""
    if field.is_required():
        text += " Required."
    text = " ".join(filter(None, (text, _COMES_FROM_SYSTEMD.get(name))))
    comment = textwrap.fill(text, 108, initial_indent="# ", subsequent_indent="# ")
    return f"{comment}\n#{ENV_PREFIX}{name.upper()}={_default(field)}\n"


def _default(field: FieldInfo) -> str:
    value = field.default
    if value is None or value is PydanticUndefined:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ",".join(value)
    return f"{value:g}" if isinstance(value, float) else str(value)
