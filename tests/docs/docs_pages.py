"""Reading a page of the documentation: its blocks of code, and what is to be done with each."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXECUTED = "<!-- executed from an empty directory -->"

_FENCE = re.compile(r"^(?P<indent> *)```(?P<info>.*)$")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language, its attributes (``` ``python file=a.py ````), its text and its first line."""

    language: str
    attributes: dict[str, str]
    text: str
    line: int


def all_pages() -> list[Path]:
    """Every page of this checkout. Environments and caches begin with a dot."""
    found = [*ROOT.glob("*.md")]
    for folder in ("deploy", "docs", "tests"):
        found += (ROOT / folder).rglob("*.md")
    return sorted(found)


def executed_pages() -> list[Path]:
    marked = [page for page in (ROOT / "docs").rglob("*.md") if EXECUTED in page.read_text(encoding="utf-8")]
    return [ROOT / "README.md", *sorted(marked)]


def headings_of(page: Path) -> list[str]:
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return [heading.strip() for heading in re.findall(r"^#+ (.*)$", text, flags=re.MULTILINE)]


def anchors_of(page: Path) -> set[str]:
    """The anchors of its headings, as GitHub makes them."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings_of(page)}


def blocks_of(page: Path) -> Iterator[Block]:
    lines = enumerate(page.read_text(encoding="utf-8").splitlines(), start=1)
    for number, line in lines:
        if not (opening := _FENCE.match(line)):
            continue
        words = shlex.split(opening["info"])
        body = []
        for _, inner in lines:
            if inner.strip() == "```":
                break
            body.append(inner.removeprefix(opening["indent"]))
        yield Block(
            language=words[0] if words else "",
            attributes={name: value for name, _, value in (word.partition("=") for word in words[1:])},
            text="\n".join(body) + "\n",
            line=number + 1,
        )


@dataclass(frozen=True, slots=True)
class Step:
    """A command (None for more output of what runs), and the lines that the page shows below it."""

    command: str | None
    expected: list[str]


def steps_of(block: Block) -> Iterator[Step]:
    command: str | None = None
    expected: list[str] = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            if command is not None or expected:
                yield Step(command, expected)
            command, expected = line.removeprefix("$ "), []
        elif line.strip():
            expected.append(line)
    yield Step(command, expected)


def pattern(expected: str) -> re.Pattern[str]:
    """A line of a page as it may come: an ellipsis stands for anything, a run of blanks for any number of them."""
    pieces = [
        ".*" if piece == "…" else r"\s+" if piece.isspace() else re.escape(piece)
        for piece in re.split(r"(…|\s+)", expected.strip())
        if piece
    ]
    return re.compile("".join(pieces))
