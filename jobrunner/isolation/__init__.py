"""What a child has the kernel refuse to it and to all that it starts: by Landlock, by seccomp, by a keyring of its own.

`child.py` has the order of the steps, `docs/adr/0036-as-far-apart-as-the-kernel-allows.md` the reasons.
"""
