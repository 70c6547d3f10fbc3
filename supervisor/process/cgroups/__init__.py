"""A cgroup for each child, if this process may make one; everything works without (`docs/adr/0009`).

Any failure here means "without" and a line in the log, never a failed job. `own_directories` reads /proc/self/cgroup
and /proc/self/mountinfo, `detection` finds out what may be used, `cgroup` is a child's own, and `worker` is the life of
them all.

Rule for the loop's thread: reading, and writing limits, are quick. Making, joining, killing and removing wait for one
lock of the whole machine (`cgroup_mutex`). A process that moves between cgroups holds it for 10 to 100 ms. So these
are done in threads, or by the child itself.
"""
