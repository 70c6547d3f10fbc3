"""How long each stage of a job's end may take, in seconds."""

from typing import Final

LINGER_SECONDS: Final = 2.0
"""How long a child may take to end after its outcome: time for `finally` blocks, not for work."""

STACK_SECONDS: Final = 0.25
"""How long a stack dump may delay the kill. It takes 5 to 8 ms (measured), or never comes."""

FREEZE_SECONDS: Final = 4.0
"""How long stopping a tree that multiplies, and then a stack, may delay the kill. Nothing but the child runs meanwhile,
and it has to wait for a processor with all else on the machine."""

CLOSED_CHANNEL_SECONDS: Final = 0.5
"""How long after its channel a child may live. A child that ends closes the channel a moment before."""

UNKILLABLE_SECONDS: Final = 5.0
"""How long after SIGKILL a child may live; longer means that it is stuck in the kernel (state D)."""

MOST_WAITS: Final = 11
"""So many times it gets as long again while it waits for a processor, as a bomb's child does behind a thousand others:
a minute in all."""

DRAIN_SECONDS: Final = 1.0
"""How long the channel of a dead child is read. Its end comes at once unless a stranger holds the other side."""
