"""How long each stage of a job's end may take, in seconds."""

from typing import Final

LINGER_SECONDS: Final = 2.0
"""How long a child may take to end after its outcome: time for `finally` blocks, not for work."""

STACK_SECONDS: Final = 0.25
"""How long a stack dump may delay the kill. It takes 5 to 8 ms (measured), or it never comes."""

FREEZE_SECONDS: Final = 4.0
"""How long it may delay the kill to stop a tree that multiplies, and then to take a stack. Only the child runs
meanwhile, but it must wait for a processor with everything else on the machine."""

CLOSED_CHANNEL_SECONDS: Final = 0.5
"""How long a child may live after its channel ended. A child that ends closes the channel a moment before."""

UNKILLABLE_SECONDS: Final = 5.0
"""How long a child may live after SIGKILL; if it lives longer, it is stuck in the kernel (state D)."""

MOST_WAITS: Final = 11
"""How many times the child gets as much time again while it waits for a processor, as a bomb's child does behind a
thousand others: a minute in all."""

DRAIN_SECONDS: Final = 1.0
"""How long the channel of a dead child is read. It ends at once, unless another process holds the other side."""
