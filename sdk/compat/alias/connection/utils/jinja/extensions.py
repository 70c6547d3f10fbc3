"""Tags of templates: comments, and attempts that may fail."""

from __future__ import annotations

from functools import cache
from typing import Any

from sdk.compat.client import library
from sdk.compat.migration_hints import refusing

_refuse = refusing(__name__)


def __getattr__(name: str) -> Any:
    # Made only on request: the first template loads jinja2, and these classes derive from one of its classes.
    return _extensions()[name] if name in ("CommentExtension", "TryExceptExtension") else _refuse(name)


@cache
def _extensions() -> dict[str, type[Any]]:
    base = library("jinja2.ext").Extension
    comment = {
        "__doc__": '`{% comment %}`, or `{% comment "reason" %}`, to `{% endcomment %}`: nothing comes of it.',
        "tags": {"comment"},
        "parse": _parse_comment,
    }
    attempt = {
        "__doc__": "`{% try %}`, `{% except %}`, `{% endtry %}`: the second part where the first one fails.",
        "tags": {"try"},
        "parse": _parse_attempt,
        "first_that_works": _first_that_works,
    }
    named = {"CommentExtension": comment, "TryExceptExtension": attempt}
    return {name: type(name, (base,), {**body, "__module__": __name__}) for name, body in named.items()}


def _parse_comment(self: Any, parser: Any) -> list[Any]:
    next(parser.stream)
    if parser.stream.current.type != "block_end":
        parser.parse_expression()  # the name of the comment
    parser.parse_statements(("name:endcomment",), drop_needle=True)
    return []


def _parse_attempt(self: Any, parser: Any) -> list[Any]:
    """A macro for each part, and a call that chooses between them."""
    nodes = library("jinja2.nodes")
    line = next(parser.stream).lineno
    parts = [parser.parse_statements(("name:except", "name:endtry"))]
    has_otherwise = next(parser.stream).value == "except"
    parts.append(parser.parse_statements(("name:endtry",), drop_needle=True) if has_otherwise else [])
    # Names that no author writes, and a different pair in each place.
    own = parser.free_identifier().name
    names = [f"_part_{number}_of_{own}" for number in (1, 2)]
    macros = [nodes.Macro(name, [], [], body) for name, body in zip(names, parts, strict=True)]
    choice = self.call_method("first_that_works", [nodes.Name(name, "load") for name in names])
    return [node.set_lineno(line) for node in (*macros, nodes.Output([choice]))]


def _first_that_works(self: Any, attempt: Any, otherwise: Any) -> Any:
    try:
        return attempt()
    except Exception:
        return otherwise()
