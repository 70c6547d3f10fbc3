"""What a child makes the kernel refuse to it and to all that it starts: by Landlock, by seccomp, by its own keyring.

`child.py` has the order of the steps, `docs/adr/0036-as-far-apart-as-the-kernel-allows.md` the reasons.
"""
