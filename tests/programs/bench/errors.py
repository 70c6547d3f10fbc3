"""What keeps a measurement from being one."""


class BenchError(Exception):
    """A program did not start, or the jobs did not go as they must for their times to mean anything."""
