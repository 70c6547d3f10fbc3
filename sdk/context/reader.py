"""Makes lists of entities from what the engine sent, or what a test built."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from sdk.context.kinds import Kind
from sdk.errors import ContextError, join_problems
from sdk.parsing.problems import problems_of


def read_entities(context: Any, kind: Kind) -> list[Any]:
    """The entities of one kind in `context`: a mapping, or an object with the lists as attributes.

    Mappings become models of this SDK; models of any package stay as they are. Raises
    `ContextError`.
    """
    items = _items(context, kind)
    if not isinstance(items, list | tuple):
        raise ContextError(f"The context's {kind.key} is a {type(items).__name__}, not a list. {_ADVICE}")
    return [_read(item, kind, f"{kind.key}[{index}]") for index, item in enumerate(items)]


_ADVICE = (
    "Where you give the context yourself, in a test or by `--context`, correct it. Else it comes from an engine that "
    "this worker does not understand: compare their versions."
)


def _items(context: Any, kind: Kind) -> Any:
    if context is None:
        return []
    if isinstance(context, Mapping):
        items = context.get(kind.key, context.get(kind.attribute))
    elif hasattr(context, kind.attribute):
        items = getattr(context, kind.attribute)
    else:
        raise ContextError(f"The context is a {type(context).__name__}, not an object. {_ADVICE}")
    return [] if items is None else items


def _read(item: Any, kind: Kind, path: str) -> Any:
    if isinstance(item, Mapping):
        try:
            return kind.model.model_validate(item)
        except ValidationError as error:
            # "from None": a device holds its password, and the text of the cause might show it.
            problems = join_problems(problems_of(error))
            raise ContextError(
                f"{path} of the context is no {kind.entity_type}: {problems}. {_ADVICE}"
            ) from None
    if hasattr(item, "model_dump") and hasattr(item, "id"):
        return item
    raise ContextError(f"{path} of the context is a {type(item).__name__}, no {kind.entity_type}. {_ADVICE}")
