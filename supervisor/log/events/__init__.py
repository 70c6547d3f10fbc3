"""The catalogue of events: what the worker can say of itself, in one place for logs, programs and documentation."""
