"""The picture of `supervisor top` in README shows what `top` shows today, and fetches nothing."""

import html
import re
from typing import Any

from supervisor.commands.top.columns import columns_for
from supervisor.commands.top.rates import CpuShares
from supervisor.commands.top.snapshot import snapshot_of
from tests.programs.top_picture.__main__ import PICTURE, svg_of

JOB: dict[str, Any] = {
    "job_id": "7d0c1a2b-aaaa",
    "block": "acme/backup:1.0.0",
    "state": "running",
    "last_line": "x",
}
ANSWER: dict[str, Any] = {"worker": {"name": "edge-1", "ready": True}, "jobs": [JOB]}


def texts(svg: str) -> str:
    return " ".join(
        html.unescape(found).replace("\xa0", " ") for found in re.findall(r">([^<>]+)</text>", svg)
    )


def test_a_picture_is_made_of_an_answer_and_fetches_nothing() -> None:
    svg = svg_of(snapshot_of(ANSWER), CpuShares(), "14:02:11")
    assert "7d0c1a2b" in texts(svg)
    for made in (svg, PICTURE.read_text()):
        assert "@font-face" not in made
        assert "url(http" not in made
        assert len(made) < 20_000


def test_the_picture_has_the_columns_of_today() -> None:
    shown = texts(PICTURE.read_text()).split()
    for column in columns_for(snapshot_of(ANSWER).jobs, lambda _: None, None):
        assert set(column.title.split()) <= set(shown), f"`make top-picture` makes it anew: {column.title}"
