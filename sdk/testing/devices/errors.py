"""The one error of this package that can be raised before anything else is imported."""

from sdk.errors import SdkError


class EmulatorMissingError(SdkError, ImportError):
    """`asyncssh` can't be imported: install the `emulator` extra.

    It is also an `ImportError`, so code that skips a test when a library is missing needs no second clause.
    """
