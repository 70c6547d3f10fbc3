"""What of a job's order can hold no secret, told in a fraction of the time that a search takes.

A context repeats the same few keys thousands of times. Those that are known to name no secret are looked up all at
once, and of the values then only lists, objects and addresses with `://` are looked at. Pure.
"""

from typing import Any, Final

from jobrunner.protocol.masking import SecretNames
from jobrunner.protocol.masking.collector import JSON_KEYS

_MOST_KEYS_REMEMBERED: Final = 4096


class Harmless:
    """Tells of lists and objects whether they hold no secret, where nothing around them makes all in them secret."""

    def __init__(self, names: SecretNames) -> None:
        self._names = names
        self._keys: set[str] = set()
        """Those that name none, and no text that is JSON itself."""

    def suspects(self, members: Any, *, has_addresses: bool) -> Any:
        """Return what of a list, or an object, has to be searched: in a list of its own, or the whole object.

        `has_addresses`: whether `://` may stand in one of its texts.
        """
        if not isinstance(members, list):
            return {} if self._holds_none(members, has_addresses) else members
        return [
            part
            for part in members
            if (isinstance(part, (dict, list)) and not self._holds_none(part, has_addresses))
            or (has_addresses and isinstance(part, str) and "://" in part)
        ]

    def _holds_none(self, container: Any, has_addresses: bool) -> bool:
        todo = [container]
        while todo:
            outer = todo.pop()
            is_object = type(outer) is dict
            if is_object and not (self._keys.issuperset(outer) or self._learn(outer)):
                return False
            for value in outer.values() if is_object else outer:
                kind = type(value)
                if kind is dict or kind is list:
                    todo.append(value)
                elif has_addresses and kind is str and "://" in value:
                    return False
        return True

    def _learn(self, members: dict[str, object]) -> bool:
        """Remember the keys of an object, unless one of them names a secret, or a text that may hold some."""
        for key, value in members.items():
            if key in JSON_KEYS:
                if value is not None:
                    return False
            elif key in self._names:
                return False
            elif len(self._keys) < _MOST_KEYS_REMEMBERED:
                self._keys.add(key)
        return True
