"""Exit codes with which a child says what it can't say over its channel."""

from typing import Final

CHANNEL_LOST: Final = 72
"""The block has closed the descriptor for the outcome."""

NOT_ISOLATED: Final = 73
"""The child could not be isolated as ordered, and has run nothing; its stderr says why. After its order it has also
reported that over its channel, because a block may end with this code, too."""

BROKEN: Final = 70
"""Our own code in the child failed; its stderr has the traceback."""
