"""Processes as the kernel shows them: /proc, pidfds, waiting, cgroups, users, priorities, output. Knows no jobs."""
