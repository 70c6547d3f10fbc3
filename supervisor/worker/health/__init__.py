"""`/live`, `/ready` and `/metrics`: off unless `--health-address` is set. A thread of their own serves them."""
