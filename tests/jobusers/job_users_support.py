"""The users of these tests, and a way to let them read Python where that is in a home directory."""

import os

# In nobody's range: above what accounts and containers are given; and other numbers for each process of the tests.
FIRST = 3_000_000_000 + 16 * (os.getpid() % 2**20)
USERS = (FIRST, FIRST + 7)


def opening(closed: list[str]) -> tuple[str, ...]:
    """Return the command that runs another where everyone may pass `closed`, without changing them outside.

    Each is replaced by an empty directory into which its entries are bound.
    """
    if not closed:
        return ()
    script = """
set -e
kept=$(mktemp -d)
while [ "$1" != -- ]; do
  mkdir "$kept/old" && mount --bind "$1" "$kept/old" && mount -t tmpfs -o mode=755 none "$1"
  for entry in "$kept"/old/* "$kept"/old/.[!.]*; do
    name=$(basename "$entry")
    if [ -d "$entry" ] && [ ! -L "$entry" ]; then mkdir "$1/$name"; mount --bind "$entry" "$1/$name"; fi
  done
  umount "$kept/old" && rmdir "$kept/old" && shift
done
rmdir "$kept" && shift && exec "$@"
"""
    return ("unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", *closed, "--")
