"""Finds the parts of a job's order that can hold no secret, in a fraction of the time of a search.

A context repeats the same few keys thousands of times. Keys that are known to name no secret are looked up all at once.
Of their values, only lists, objects and addresses with `://` are looked at. Values of other keys are searched singly.
Pure.
"""

from typing import Any, Final

from jobrunner.protocol.masking import SecretNames
from jobrunner.protocol.masking.collector import JSON_KEYS

_MOST_KEYS_REMEMBERED: Final = 4096


class Harmless:
    """Says of lists and objects whether they hold no secret. Nothing around them may make all of them secret."""

    def __init__(self, names: SecretNames) -> None:
        self._names = names
        self._keys: set[str] = set()
        """Known keys that name no secret, and no text that is JSON itself."""

    def suspects(self, members: Any, *, has_addresses: bool) -> Any:
        """Return the parts of a list or an object that must be searched, in a list or an object of their own.

        `has_addresses`: whether one of its texts may contain `://`.
        """
        if not isinstance(members, list):
            return self._members(members, has_addresses)
        return [found for part in members if (found := self._part(part, has_addresses))]

    def _part(self, part: Any, has_addresses: bool) -> Any:
        if type(part) is dict:
            return self._members(part, has_addresses)
        if type(part) is list:
            return None if self._holds_none(part, has_addresses) else part
        return part if has_addresses and isinstance(part, str) and "://" in part else None

    def _members(self, members: dict[str, Any], has_addresses: bool) -> dict[str, Any]:
        """Return the members of an object that must be searched: of a device mostly only its password."""
        found: dict[str, Any] = {}
        for key in members.keys() - self._keys:
            value = members[key]
            if key in JSON_KEYS:
                if value is not None:
                    found[key] = value
            elif key in self._names:
                found[key] = value
            else:
                self._remember(key)
        for key, value in members.items():
            kind = type(value)
            if kind is dict or kind is list:
                if value and key not in found and not self._holds_none(value, has_addresses):
                    found[key] = value
            elif has_addresses and kind is str and "://" in value:
                found[key] = value
        return found

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
            else:
                self._remember(key)
        return True

    def _remember(self, key: str) -> None:
        if len(self._keys) < _MOST_KEYS_REMEMBERED:
            self._keys.add(key)
