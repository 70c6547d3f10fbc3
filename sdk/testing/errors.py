"""Errors of the harness: a block was not run. A mistake of a block is an outcome, not an error."""

from sdk.errors import SdkError


class HarnessError(SdkError):
    """The harness could not run a block. `kind` is for programs, the message for people."""

    def __init__(self, message: str, *, kind: str) -> None:
        super().__init__(message)
        self.kind = kind


class BlockNotFoundError(HarnessError):
    """The block under test is not registered, or is not where the harness looked. The message says which."""

    def __init__(self, message: str) -> None:
        super().__init__(message, kind="block_not_found")
