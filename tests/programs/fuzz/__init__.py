"""Everything that comes from outside, as nobody would send it: frames of a child, reports of a template, the engine."""
