"""The code that runs inside the template and inside each child: discovery, one job, its logs, its limits."""
