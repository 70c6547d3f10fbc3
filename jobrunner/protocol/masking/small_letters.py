"""A text in the letters that an expression without regard to case takes for the same, character for character."""

from typing import Final

_TAKEN_FOR: Final = (("\u0130", "i"), ("\u0131", "i"), ("\u017f", "s"), ("\u212a", "k"))
"""`re.IGNORECASE` takes these for letters of ASCII, but `str.lower` leaves them, or makes two characters of one."""


def in_small_letters(text: str) -> str:
    """Return `text` in small letters. As long as `text`: what is found in one stands at the same place in both.

    Made to look for words of ASCII. Other alphabets have more letters that are taken for each other.
    """
    if not text.isascii():
        for letter, small in _TAKEN_FOR:
            text = text.replace(letter, small)
    return text.lower()
