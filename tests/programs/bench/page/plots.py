"""Two kinds of pictures as plain SVG: bars with a number at their end, and steps that follow each other in time."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

_WIDTH: Final = 760
_NAMES: Final = 260
_ROW: Final = 26
_TOP: Final = 44
_FONT: Final = 'font-family="system-ui, sans-serif" font-size="13"'
_BAR: Final = "#3b6ea5"
_OTHER_BAR: Final = "#b0b7c0"
_TEXT: Final = "#1f2328"


@dataclass(frozen=True, slots=True)
class Bar:
    """One row: a name, and from where to where its bar goes. `label` stands at its end."""

    name: str
    start: float
    end: float
    label: str
    is_ours: bool = True


def picture(title: str, bars: Sequence[Bar]) -> str:
    """Return an SVG with a row for each bar. The longest one reaches nearly to the right edge."""
    height = _TOP + _ROW * len(bars) + 12
    most = max((bar.end for bar in bars), default=0.0) or 1.0
    scale = (_WIDTH - _NAMES - 110) / most
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" '
        f'viewBox="0 0 {_WIDTH} {height}" role="img">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="12" y="26" {_FONT} font-weight="600" fill="{_TEXT}">{escape(title)}</text>',
    ]
    for number, bar in enumerate(bars):
        lines += _row(bar, _TOP + number * _ROW, scale)
    return "\n".join([*lines, "</svg>"]) + "\n"


def _row(bar: Bar, top: int, scale: float) -> list[str]:
    left = _NAMES + bar.start * scale
    width = max(1.0, (bar.end - bar.start) * scale)
    base = top + _ROW - 10
    colour = _BAR if bar.is_ours else _OTHER_BAR
    return [
        f'<text x="{_NAMES - 8}" y="{base}" {_FONT} fill="{_TEXT}" text-anchor="end">{escape(bar.name)}</text>',
        f'<rect x="{left:.1f}" y="{top + 4}" width="{width:.1f}" height="{_ROW - 8}" fill="{colour}"/>',
        f'<text x="{left + width + 6:.1f}" y="{base}" {_FONT} fill="{_TEXT}">{escape(bar.label)}</text>',
    ]
