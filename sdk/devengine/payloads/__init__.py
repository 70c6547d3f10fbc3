"""The bodies of requests: how to read JSON strictly, and the shape of each body (engine contract: worker routes)."""
