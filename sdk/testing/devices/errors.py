"""The one error of this package that is raised before anything else can be imported."""

from sdk.errors import SdkError


class EmulatorMissingError(SdkError, ImportError):
    """`asyncssh` can't be imported: install the `emulator` extra.

    Also an `ImportError`, so that code which skips a test on a missing library needs no second clause.
    """
