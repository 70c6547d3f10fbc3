"""One job, from the order to the evidence of its end: its process, channel, limits, timers and directory."""
