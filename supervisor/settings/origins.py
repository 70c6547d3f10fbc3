"""Where the value of each setting comes from, and how it is shown: for `config` and for bundles."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import PrivateAttr
from pydantic_settings import BaseSettings

from supervisor.settings import env_file
from supervisor.settings.places import place_of

DEFAULT: Final = "default"
HIDDEN: Final = "***"

_LOGIN: Final = re.compile(r"^([a-z][a-z0-9+.-]*://).*@", re.IGNORECASE)
_QUERY: Final = re.compile(r"(?<=\?).+$")


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One setting, as people may see it. `value` is `None` if the setting has none."""

    name: str
    value: str | None
    origin: str


class KnowsOrigins(BaseSettings):
    """Base of settings that remember their origins."""

    _origins: dict[str, str] = PrivateAttr(default_factory=dict)
    _ignored: tuple[str, ...] = PrivateAttr(default=())

    def come_from(self, origins: Mapping[str, str]) -> None:
        """Remember the origins of these settings, by their names. Other settings keep theirs."""
        self._origins = {**self._origins, **origins}

    def leave_out(self, ignored: Iterable[str]) -> None:
        """Remember what looked like a setting but was ignored when these were read: a sentence for each."""
        self._ignored = tuple(ignored)

    @property
    def ignored(self) -> tuple[str, ...]:
        """What looked like a setting when these were read, but is none: a sentence for each."""
        return self._ignored

    def origin_of(self, name: str) -> str:
        """Return the flag, variable or line that sets a setting, or `default`."""
        return self._origins.get(name, DEFAULT)


def origins_of(model: type[BaseSettings], arguments: Sequence[str], prefix: str) -> dict[str, str]:
    """Return where the value of each setting of `model` comes from at this moment: environment and `.env` may change.

    `prefix` is the prefix of our own variables.
    """
    try:
        text = env_file.text()
    except (OSError, UnicodeDecodeError):
        text = ""
    with env_file.held(text):  # read once for all settings
        places = {name: place_of(name, f"{prefix}{name}".upper(), arguments) for name in model.model_fields}
    return {name: str(place) for name, place in places.items() if place is not None}


def setting_rows(settings: KnowsOrigins) -> list[SettingRow]:
    """Return every setting with its value and its origin. Possible secrets in a value are masked."""
    names = type(settings).model_fields
    return [SettingRow(name, shown(getattr(settings, name)), settings.origin_of(name)) for name in names]


def shown(value: object) -> str | None:
    """Return a value as people may see it: a login or a query in an address is masked."""
    if value is None:
        return None
    if isinstance(value, list | tuple | set | frozenset):
        return ",".join(filter(None, map(shown, value)))
    if isinstance(value, dict):
        return ",".join(f"{key}={shown(each)}" for key, each in value.items())
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:g}"
    text = _LOGIN.sub(rf"\1{HIDDEN}@", str(value))
    return _QUERY.sub(HIDDEN, text) if "://" in text else text
