"""What a device answered to one command."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Answer:
    """One command and its output, without echo and prompt.

    `parsed` is the output as data: rows of a template, or JSON if the device writes it. It is None if you did not ask
    for it, if nothing recognised the output, or if the output was cut or refused. `is_cut`: the device sent more than
    the size limit allows. `is_refused`: the device refused the command, and the output says so. An output can hold
    secrets.
    """

    command: str
    output: str = field(repr=False)
    parsed: Any = field(default=None, repr=False)
    is_cut: bool = False
    is_refused: bool = False
