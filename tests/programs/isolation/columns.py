"""The columns of the table: a setting, and a kernel that is simulated by what the worker finds out about it."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Column:
    """One setting on one kind of kernel.

    `abis` are the versions of Landlock that behave like this. The column is proven with each of them.
    """

    name: str
    title: str
    isolation: str
    abis: tuple[int, ...]
    seccomp: bool = True


NEWEST: Final = 7

COLUMNS: Final = (
    Column("off", "`off`", "off", (NEWEST,)),
    Column("off-5", "`off`, Linux before 6.12", "off", (5,)),
    Column("kernel", "`kernel`, Linux 6.12", "kernel", (NEWEST, 6)),
    Column("kernel-5", "6.2 to 6.11", "kernel", (5, 4, 3)),
    Column("kernel-2", "5.19 to 6.1", "kernel", (2,)),
    Column("kernel-1", "5.13 to 5.18", "kernel", (1,)),
    Column("kernel-0", "no Landlock", "kernel", (0,)),
    Column("no-seccomp", "no seccomp", "kernel", (NEWEST,), seccomp=False),
)
