"""Texts that UTF-8 can hold. Python's can have half a surrogate pair, for example in a file name that is not UTF-8."""

from typing import Any


def encodable(text: str) -> str:
    """Return `text` for UTF-8. Half a surrogate pair becomes an escape, as in a repr."""
    return text.encode(errors="backslashreplace").decode()


def all_encodable(value: Any) -> Any:
    """Return plain data for UTF-8, with its keys."""
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, dict):
        return {all_encodable(key): all_encodable(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [all_encodable(each) for each in value]
    return value


def is_encodable(text: str) -> bool:
    """Whether UTF-8 can hold `text` unchanged."""
    return encodable(text) == text
