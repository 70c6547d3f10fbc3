"""From the raw parameters of a job to a block's model: strictly to execute, leniently to acquire."""

from sdk.parsing.lenient import parse_leniently
from sdk.parsing.strict import parse_parameters

__all__ = ["parse_leniently", "parse_parameters"]
