"""A field that is marked `SENSITIVE` keeps its type."""

from typing import Annotated, assert_type

from pydantic import SecretStr

from sdk import SENSITIVE, FunctionBlockParams


class Login(FunctionBlockParams):
    password: Annotated[str, SENSITIVE]
    pins: Annotated[list[int], SENSITIVE] = []
    community: Annotated[str | None, SENSITIVE] = None
    key: SecretStr = SecretStr("")


def use(login: Login) -> None:
    assert_type(login.password, str)
    assert_type(login.pins, list[int])
    assert_type(login.community, str | None)
    assert_type(login.key.get_secret_value(), str)
    Login(password=5)  # expect: mypy[arg-type] basedpyright[reportArgumentType]
    Login(pins=[1])  # expect: mypy[call-arg] basedpyright[reportCallIssue]
    login.community.lower()  # expect: mypy[union-attr] basedpyright[reportOptionalMemberAccess]
