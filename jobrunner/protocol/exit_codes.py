"""Exit codes that a child uses to say what it can't say over its channel."""

from typing import Final

CHANNEL_LOST: Final = 72
"""The block has closed the descriptor over which the outcome would have gone."""

NOT_ISOLATED: Final = 73
"""The child could not be kept apart as it was ordered, and has run nothing; its stderr says why. After its order it
has said so over its channel, too: a block may end with this code."""

BROKEN: Final = 70
"""Our own code in the child failed; its stderr has the traceback."""
