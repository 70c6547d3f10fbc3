"""A cgroup for each child, where this process may make one; everything works without (`docs/adr/0009`).

Whatever fails here means "without" and a line in the log, never a failed job. Reading /proc/self/cgroup and
/proc/self/mountinfo is `own_directories`, finding out what may be used is `detection`, a child's own is `cgroup`, and
the life of them all is `worker`.

Rule for the loop's thread: reading, and writing limits, are quick. Making, joining, killing and removing wait for one
lock of the whole machine (`cgroup_mutex`), which a process that moves between cgroups holds for 10 to 100 ms: these
are done in threads, or by the child itself.
"""
