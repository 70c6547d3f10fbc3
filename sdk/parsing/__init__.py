"""Converts a job's raw parameters to a block's model: strictly for execute, leniently for acquire."""

from sdk.parsing.lenient import parse_leniently
from sdk.parsing.strict import parse_parameters

__all__ = ["parse_leniently", "parse_parameters"]
