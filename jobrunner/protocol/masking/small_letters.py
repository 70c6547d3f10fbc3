"""Converts a text to lower case as an expression without regard to case does, character for character."""

from typing import Final

_TAKEN_FOR: Final = (("\u0130", "i"), ("\u0131", "i"), ("\u017f", "s"), ("\u212a", "k"))
"""`re.IGNORECASE` takes these for letters of ASCII. `str.lower` keeps them, or makes two characters of one."""


def in_small_letters(text: str) -> str:
    """Return `text` in lower case. The length stays the same, so a place in one is the same place in the other.

    Made for a search for words of ASCII. In other alphabets, more letters count as the same.
    """
    if not text.isascii():
        for letter, small in _TAKEN_FOR:
            text = text.replace(letter, small)
    return text.lower()
