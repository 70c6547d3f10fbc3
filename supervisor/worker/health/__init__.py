"""`/live`, `/ready` and `/metrics`: off unless `--health-address` is set, and then served by a thread of their own."""
