"""The paths of declared secrets are bounded in number and in length, whatever a model looks like."""

from typing import Any

import pytest
from pydantic import BaseModel, SecretStr, create_model

from sdk.parsing.sensitive_paths import sensitive_paths


@pytest.mark.parametrize(("fields", "found"), [(499, 499), (500, 500), (501, 500), (1200, 500)])
def test_five_hundred_paths_are_told(fields: int, found: int) -> None:
    names: dict[str, Any] = {f"f{number}": (SecretStr, ...) for number in range(fields)}
    assert sensitive_paths(create_model("Wide", **names)) == tuple((f"f{number}",) for number in range(found))


def chain(depth: int) -> type[BaseModel]:
    inner: Any = SecretStr
    for number in range(depth):
        inner = create_model(f"Level{number}", x=(inner, ...))
    return inner  # type: ignore[no-any-return]  # a model, as depth is at least one


@pytest.mark.parametrize(("depth", "found"), [(1, 1), (19, 1), (20, 0), (200, 0)])
def test_a_path_of_models_is_followed_up_to_a_length(depth: int, found: int) -> None:
    assert sensitive_paths(chain(depth)) == (("x",) * depth,) * found


@pytest.mark.parametrize(("depth", "found"), [(1, 1), (18, 1), (19, 0), (60, 0)])
def test_a_path_of_lists_is_followed_up_to_a_length(depth: int, found: int) -> None:
    annotation: Any = SecretStr
    for _ in range(depth):
        annotation = list[annotation]
    assert sensitive_paths(create_model("Deep", x=(annotation, ...))) == (("x", *("*" * depth)),) * found
