"""What an annotation holds, by its form alone."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal, TypeVar

import pytest
from pydantic import BaseModel
from typing_extensions import TypeAliasType

from sdk.parsing.typeforms import accepts_null, alternatives, items_of_list, models_in, values_of_mapping

T = TypeVar("T")


class Host(BaseModel):
    pass


Hosts = TypeAliasType("Hosts", list[Host])
MaybeHost = TypeAliasType("MaybeHost", Host | None)
Many = TypeAliasType("Many", list[T] | Host, type_params=(T,))


@pytest.mark.parametrize(
    ("annotation", "models", "items", "values"),
    [
        (Host, [Host], [], []),
        (Annotated[Host | None, "note"], [Host], [], []),
        (list[Host], [], [Host], []),
        (Sequence[Host] | str, [], [Host], []),
        (tuple[Host, ...], [], [Host], []),
        (tuple[Host, int], [], [Host, int], []),
        (set[int] | list[str], [], [int, str], []),
        (dict[str, Host], [], [], [Host]),
        (Mapping[str, Host] | Host | list[int], [Host], [int], [Host]),
        (Literal["a", "b"], [], [], []),
        (Callable[[int], Host], [], [], []),
        (type[Host], [], [], []),
        (list, [], [], []),
        (dict, [], [], []),
        (int | None, [], [], []),
        (Hosts, [], [Host], []),
        (Annotated[Hosts, "note"] | MaybeHost, [Host], [Host], []),
        (Many[int], [Host], [T], []),
    ],
)
def test_models_items_and_values_are_told_apart(
    annotation: Any, models: list[Any], items: list[Any], values: list[Any]
) -> None:
    assert (models_in(annotation), items_of_list(annotation), values_of_mapping(annotation)) == (
        models,
        items,
        values,
    )


@pytest.mark.parametrize(
    ("annotation", "accepts"),
    [
        (None, True),
        (type(None), True),
        (Any, True),
        (object, True),
        (T, True),
        (int | None, True),
        (Annotated[int | None, "note"], True),
        (Literal["a", None], True),
        (MaybeHost, True),
        (Hosts, False),
        (Literal["a"], False),
        (int, False),
        (int | str, False),
        (list[None], False),
    ],
)
def test_a_null_is_accepted_where_it_is_named(annotation: Any, accepts: bool) -> None:
    assert accepts_null(annotation) is accepts


def test_a_union_in_a_union_is_flat() -> None:
    assert list(alternatives(Annotated[int | Annotated[str | None, 1], 2])) == [int, str, type(None)]
