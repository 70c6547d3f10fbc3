"""Configurations of the device of `device_model`, made up by hypothesis."""

from device_model import DIALECT
from hypothesis import strategies as st

from sdk.connection.changes.lines import Line, Tree

_words = st.sampled_from(["a", "b", "c"])
_plain = st.builds("many {}".format, _words)
_single = st.builds("one{} {}".format, st.sampled_from("12"), _words)
_default = st.builds("no on{}".format, st.sampled_from("12"))
_peer = st.builds("peer {} {}".format, st.sampled_from("12"), st.sampled_from(["as", "timers", "text"]))


def _leaves(kinds: st.SearchStrategy[str]) -> st.SearchStrategy[Tree]:
    return st.lists(kinds, max_size=6).map(_valid)


def _valid(texts: list[str]) -> Tree:
    """What a device can hold: no line twice, one line of a single command, and of a peer nothing without its AS."""
    lines: dict[str, str] = {}
    for text in texts:
        lines.setdefault(DIALECT.key(text), text)
    kept = [
        text
        for text in lines.values()
        if not text.startswith("peer") or text.endswith(" as") or f"{text[:6]} as" in lines
    ]
    kept.sort(key=lambda text: text.startswith("peer") and not text.endswith(" as"))
    return tuple(Line(text) for text in kept)


_inside = _leaves(_plain | _single | _default | _peer)
_section = st.builds(Line, st.builds("group {}".format, st.sampled_from("12")), _inside) | st.builds(
    Line, st.builds("list {}".format, st.sampled_from("12")), _leaves(_plain)
)


@st.composite
def configurations(draw: st.DrawFn) -> Tree:
    """A configuration: the ports, that are always there, sections, and lines of every kind."""
    ports = tuple(Line(f"port {number}", draw(_inside)) for number in (1, 2))
    sections = {line.text: line for line in draw(st.lists(_section, max_size=3))}
    return (*draw(_inside), *ports, *sections.values())
