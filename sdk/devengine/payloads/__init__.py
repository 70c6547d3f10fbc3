"""The bodies of requests: reading JSON strictly, and the shape of each body (engine contract: worker routes)."""
