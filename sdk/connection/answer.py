"""What a device answered to one command."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Answer:
    """One command and its output, without echo and prompt.

    `parsed` is the output as data: rows of a template, or JSON where the device writes it. None where it was not asked
    for, where nothing recognised the output, and where that was cut or refused. `is_cut`: the device said more than the
    size limit allows. `is_refused`: the output is the device's refusal of the command. An output can hold secrets.
    """

    command: str
    output: str = field(repr=False)
    parsed: Any = field(default=None, repr=False)
    is_cut: bool = False
    is_refused: bool = False
